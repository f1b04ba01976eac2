//! Typed records: what a struct says is what is decoded, what the schema is, and what is loaded.
