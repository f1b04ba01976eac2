//! The names that a generated file uses.
