//! Requests out, bodies in: credentials, retries, redirects, and errors that say what was asked and answered.

mod auth;
mod budget;
mod cassette;
mod client;
mod limits;
mod link;
mod oauth;
mod replay;
mod request;
mod retry;
mod sign;
mod status;

pub use auth::Auth;
pub(crate) use budget::Rate;
#[cfg(feature = "otel")]
pub(crate) use client::install_tls;
pub(crate) use client::{Client, ClientOptions, Listener, Response, Tape};
pub(crate) use link::next_link;
pub(crate) use replay::Exchange;
use replay::Replay;
pub(crate) use request::{Method, Request};
pub use sign::Unsigned;
pub use status::StatusRule;
