//! What is in the write-ahead log: segments, pages, records.
