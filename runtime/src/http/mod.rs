//! Requests to an API and its responses: credentials, retries, redirects, limits, and errors that
//! name the request and the response.

// Most calculations use numbers that a peer sends.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

mod auth;
mod body;
mod budget;
mod cassette;
mod charset;
mod client;
mod credentials;
mod encrypted;
mod failure;
mod limits;
mod link;
mod listener;
mod login;
mod login_body;
mod oauth;
mod options;
mod redirect;
mod replay;
mod request;
mod response;
mod retry;
mod seal;
mod send;
mod sent;
mod sign;
mod token_file;
mod told;
mod wire;

pub use auth::Auth;
pub(crate) use budget::Rate;
pub(crate) use client::Client;
#[cfg(feature = "buckets")]
pub(crate) use encrypted::is_safe;
/// What a resource does about a status, for
/// [`Resource::on_status`](crate::source::Resource::on_status).
///
/// ```
/// use etlgen_runtime::prelude::*;
///
/// #[derive(Record)]
/// struct Log {
///     id: Option<i64>,
/// }
///
/// // Repositories without logs answer 404.
/// let logs = Log::list("logs", "/logs").on_status(404, StatusRule::Skip);
/// # let _ = logs;
/// ```
#[doc(inline)]
pub use etlgen_model::StatusRule;
pub(crate) use link::{links, next_link};
pub(crate) use listener::Listener;
pub use login::Login;
pub(crate) use options::{ClientOptions, Tape};
pub(crate) use replay::Exchange;
pub(crate) use request::{Method, Request, with_field, with_pair};
pub(crate) use response::Response;
pub(crate) use seal::{Seal, is_lost};
pub(crate) use sent::Sent;
pub use sign::Unsigned;
pub(crate) use told::error as told_error;
