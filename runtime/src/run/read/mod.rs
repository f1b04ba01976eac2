//! Reads resources: their slices, the lists of each slice, and the pages of each list. What is read
//! goes to an [`output::Output`]; this module knows no destination.

mod alike;
mod changes;
mod collisions;
mod embedded;
pub(crate) mod feed;
pub(crate) mod fetch;
mod intake;
mod keys;
mod list;
mod order;
pub(crate) mod output;
mod pages;
pub(crate) mod reader;
pub(crate) mod resource;
pub(crate) mod rows;
mod slice;
pub(crate) mod stateless;
mod tasks;
pub(crate) mod window;

#[cfg(test)]
mod tests;
