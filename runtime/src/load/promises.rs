//! What every destination promises, proved for each by the same tests: [`promises!`](crate::promises) makes them for a
//! destination, [`Place`] says how to look at it. Whoever writes one puts both into a file of his `tests/`, and
//! `etlgen-runtime = { features = ["promises"] }` into his `[dev-dependencies]`.

// Called by the tests that the macro makes.
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

use std::path::Path;

use super::{Chunk, Destination, LoadInfo};
use crate::schema::Layout;

/// A kind of destination, and what a reader who knows nothing of it finds there.
pub trait Place {
    /// The destination in that folder.
    fn at(dir: &Path) -> Box<dyn Destination>;

    /// Columns of the rows of a table as a reader finds them; a column that is not there is null, and a table that is not
    /// there has no rows. A value as text: `1` and `0` for a bool, numbers in digits (`-12.5`), times as `2024-01-31T12:00:00.000000Z`, bytes in base64, text and JSON as they are.
    fn rows(dir: &Path, table: &str, columns: &[&str]) -> Vec<Vec<Option<String>>>;

    /// Makes a table of that name that is a person's own; false: there cannot be any beside those of the destination.
    fn foreign(_dir: &Path, _table: &str) -> bool {
        false
    }

    /// Writes a chunk and is killed as late in its commit as can be; unless said, before it.
    fn kill(dir: &Path, chunk: &Chunk) {
        let mut killed = Self::at(dir);
        let load = LoadInfo {
            id: "7".to_owned(),
            source: "shop".to_owned(),
            layout: Some(Layout::Etl),
        };
        killed.open(&load).expect("it opens");
        killed.write(chunk).expect("it takes the chunk");
    }
}

/// Makes a test of every promise of a destination, for one [`Place`](crate::load::promises::Place).
#[macro_export]
macro_rules! promises {
    ($place:ty) => {
        $crate::promises! { $place:
            contract::append_leaves_out_what_is_there
            contract::merge_replaces_a_record_and_its_child_rows
            contract::a_record_that_comes_again_before_the_commit_is_one_row
            contract::a_pass_takes_the_place_of_all_rows_when_it_ends
            contract::a_pass_is_of_all_tables_of_its_resource
            contract::records_that_a_whole_reading_did_not_bring_go
            contract::records_that_are_said_to_be_gone_go
            contract::records_that_are_said_to_be_gone_are_marked_once
            contract::columns_are_only_added
            contract::tables_without_rows_exist
            contract::a_list_may_have_any_name
            faults::a_second_run_is_refused
            faults::a_killed_run_leaves_the_last_commit
            faults::what_is_counted_is_what_is_committed
            faults::what_a_load_met_is_committed_with_its_rows
            faults::tables_of_others_are_not_touched
            faults::tables_and_state_are_remembered
            migrate::tables_change_with_the_state
            migrate::a_migration_that_dies_leaves_the_last_commit
            migrate::a_table_of_another_is_not_taken
            migrate::tables_go
            random::whatever_happens_the_last_commit_is_there
            types::every_value_is_as_it_was
        }
    };
    ($place:ty: $($file:ident::$name:ident)*) => {
        mod promises {
            use super::*;
            $(
                #[test]
                fn $name() {
                    $crate::load::promises::$file::$name::<$place>();
                }
            )*
        }
    };
}
