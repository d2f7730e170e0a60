"""What this process keeps on its own disk beside the records: cases and uploads, for a bounded time and within bounded room."""
