//! The only code that knows OpenAPI: bytes become an [`api::Api`].

pub mod api;
