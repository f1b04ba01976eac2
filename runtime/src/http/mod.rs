//! Requests to an API and its answers: credentials, retries, redirects, limits, and errors that name the request and the answer.

mod auth;
mod body;
mod budget;
mod cassette;
mod client;
mod failure;
mod limits;
mod link;
mod listener;
mod oauth;
mod options;
mod redirect;
mod replay;
mod request;
mod response;
mod retry;
mod sign;
mod wire;

pub use auth::Auth;
pub(crate) use budget::Rate;
pub(crate) use client::Client;
pub use etlgen_model::StatusRule;
pub(crate) use link::next_link;
pub(crate) use listener::Listener;
pub(crate) use options::{ClientOptions, Tape};
pub(crate) use replay::Exchange;
pub(crate) use request::{Method, Request};
pub(crate) use response::Response;
pub use sign::Unsigned;
