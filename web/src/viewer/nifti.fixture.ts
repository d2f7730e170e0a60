/** A NIfTI-1 file of bytes on a grid, for tests: `nifti1.h`, single file, sform only. */
export function niftiBytes(
  shape: [number, number, number],
  affine: number[][],
  voxels: Uint8Array | Int16Array,
  slope = 1,
): ArrayBuffer {
  const bytes = new ArrayBuffer(352 + voxels.byteLength);
  const header = new DataView(bytes);
  header.setInt32(0, 348, true);
  header.setInt16(40, 3, true);
  shape.forEach((size, axis) => {
    header.setInt16(42 + 2 * axis, size, true);
  });
  header.setInt16(70, voxels instanceof Uint8Array ? 2 : 4, true);
  header.setFloat32(108, 352, true);
  header.setFloat32(112, slope, true);
  header.setInt16(254, 1, true);
  affine.flat().forEach((value, index) => {
    header.setFloat32(280 + 4 * index, value, true);
  });
  new Uint8Array(bytes, 352).set(new Uint8Array(voxels.buffer, voxels.byteOffset, voxels.byteLength));
  return bytes;
}
