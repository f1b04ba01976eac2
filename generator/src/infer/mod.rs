//! What an API means: an [`Api`](crate::spec::api::Api) becomes [`facts::Facts`]; one file per question.

pub mod facts;
