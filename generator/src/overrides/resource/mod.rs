//! The keys of `[resources.NAME]`, one per file.

pub mod body;
pub mod contract;
pub mod deletes;
pub mod embedded;
pub mod incremental;
pub mod kind;
pub mod list_may_be_absent;
pub mod name;
pub mod new_rows_only;
pub mod off;
pub mod on_status;
pub mod paginate;
pub mod parent;
pub mod primary_key;
pub mod query;
pub mod records;
pub mod tombstone;
pub mod whole_lists;
pub mod within_parent;
