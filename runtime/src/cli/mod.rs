//! The command line of a connector.
