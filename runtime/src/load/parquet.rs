//! Parquet files in a folder.
