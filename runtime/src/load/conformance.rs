//! The tests that every destination must pass: [`conformance!`](crate::conformance) generates them for a destination, and
//! [`Place`] tells them how to open and read it.
//!
//! To test your own destination, write both in a file of your `tests/`, and add
//! `etlgen-runtime = { features = ["conformance"] }` to your `[dev-dependencies]`.

// Called by the generated tests.
#[doc(hidden)]
pub mod contract;
#[doc(hidden)]
pub mod faults;
#[doc(hidden)]
pub mod migrate;
#[doc(hidden)]
pub mod random;
#[doc(hidden)]
pub mod support;
#[doc(hidden)]
pub mod types;
#[doc(hidden)]
pub mod unchanged;

use std::path::Path;

use super::{Chunk, Destination, LoadInfo};
use crate::schema::Layout;

/// A kind of destination, and how an independent reader sees its tables.
pub trait Place {
    /// Returns the destination in that folder.
    fn at(dir: &Path) -> Box<dyn Destination>;

    /// Returns whether the tests can run here; by default they can. Where a service is missing, it reports that.
    fn is_available() -> bool {
        true
    }

    /// Returns these columns of a table's rows, as an independent reader returns them. A missing
    /// column is null, and a missing table has no rows. Values are text: `1` and `0` for a bool,
    /// numbers in digits (`-12.5`), times as `2024-01-31T12:00:00.000000Z`, bytes in base64, text
    /// and JSON unchanged.
    fn rows(dir: &Path, table: &str, columns: &[&str]) -> Vec<Vec<Option<String>>>;

    /// Creates a table of that name that no load has written; returns false if the destination
    /// cannot have one.
    fn foreign(_dir: &Path, _table: &str) -> bool {
        false
    }

    /// Loses the answer to the next commit into that folder, as a network can: the commit is there, and the destination
    /// gets an error. By default nothing is lost.
    fn lose_next_answer(_dir: &Path) {}

    /// Writes a chunk and stops as late in its commit as possible; by default before it.
    fn kill(dir: &Path, chunk: &Chunk) {
        let mut killed = Self::at(dir);
        let load = LoadInfo::new("7", "shop", Layout::Etl);
        killed.open(&load).expect("it opens");
        killed.write(chunk.clone()).expect("it takes the chunk");
    }
}

/// Generates the tests of a destination, for one [`Place`](crate::load::conformance::Place).
#[macro_export]
macro_rules! conformance {
    ($place:ty) => {
        $crate::conformance! { $place:
            contract::append_leaves_out_what_is_there
            contract::merge_replaces_a_record_and_its_child_rows
            contract::a_record_that_comes_again_before_the_commit_is_one_row
            contract::a_pass_takes_the_place_of_all_rows_when_it_ends
            contract::a_pass_is_of_all_tables_of_its_resource
            contract::records_that_a_complete_pass_did_not_bring_are_deleted
            contract::records_that_the_api_reports_as_deleted_are_deleted
            contract::records_that_the_api_reports_as_deleted_are_marked_once
            contract::the_rows_of_a_pass_are_read_back
            contract::columns_are_only_added
            contract::tables_without_rows_exist
            contract::a_list_may_have_any_name
            faults::a_second_run_is_refused
            faults::a_commit_whose_answer_is_lost_is_there_once
            faults::a_killed_run_leaves_the_last_commit
            faults::what_is_counted_is_what_is_committed
            faults::what_a_load_met_is_committed_with_its_rows
            faults::tables_of_others_are_not_touched
            faults::tables_and_state_are_remembered
            faults::loads_grow_although_the_clock_goes_back
            migrate::tables_change_with_the_state
            migrate::a_migration_that_dies_leaves_the_last_commit
            migrate::a_table_of_another_is_not_taken
            migrate::tables_go
            random::whatever_happens_the_last_commit_is_there
            types::every_value_is_as_it_was
            unchanged::an_unchanged_record_is_not_written_again
            unchanged::rows_without_a_hash_are_written_once
            unchanged::an_unchanged_record_is_not_deleted
            unchanged::a_resumed_pass_knows_what_it_has_seen
            unchanged::a_new_pass_has_seen_nothing
            unchanged::a_rollback_keeps_unchanged_records
            unchanged::a_rollback_forgets_a_pass_in_progress
            unchanged::a_migration_keeps_what_a_pass_has_seen
        }
    };
    ($place:ty: $($file:ident::$name:ident)*) => {
        mod conformance {
            use super::*;
            $(
                #[test]
                fn $name() {
                    if <$place as $crate::load::conformance::Place>::is_available() {
                        $crate::load::conformance::$file::$name::<$place>();
                    }
                }
            )*
        }
    };
}
