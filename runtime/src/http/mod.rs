//! Requests to an API and its answers: credentials, retries, redirects, limits, and errors that name the request and the answer.

// The numbers of a peer are in most sums.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

mod auth;
mod body;
mod budget;
mod cassette;
mod client;
mod credentials;
mod encrypted;
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
mod seal;
mod send;
mod sign;
mod status;
mod token_file;
mod told;
mod wire;

pub use auth::Auth;
pub(crate) use budget::Rate;
pub(crate) use client::Client;
pub(crate) use link::next_link;
pub(crate) use listener::Listener;
pub(crate) use options::{ClientOptions, Tape};
pub(crate) use replay::Exchange;
pub(crate) use request::{Method, Request};
pub(crate) use response::Response;
pub(crate) use seal::{Seal, is_lost};
pub use sign::Unsigned;
pub use status::StatusRule;
