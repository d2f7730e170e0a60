"""What a head CT phantom is made of: shapes, anatomy, lesions, edges and artefacts."""
