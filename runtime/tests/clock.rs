//! Tests of two clocks: the clock of the API determines how far a cursor moves.

use crate::support::{InMemory, asked, dated, page, run_by, simulated};
use etlgen_runtime::prelude::*;
use etlgen_runtime::run::RunOptions;
use etlgen_runtime::world::WireResponse;
use serde_json::json;

#[derive(Record)]
struct Item {
    id: Option<i64>,
    updated: Option<UnixTime>,
}

const NOW: u64 = 1_700_000_000;
/// The time for which a change may stay hidden.
const LATE: u64 = 300;

/// Returns the cursor after a run over rows changed at these seconds, if the API's clock shows
/// `there`.
fn cursor_after(there: Option<u64>, rows: [u64; 2], stopped: bool) -> String {
    let stamped = move |answer: WireResponse| match there {
        Some(second) => dated(answer, second),
        None => answer,
    };
    let (world, clock) = simulated(NOW, move |request| {
        let row = |at: usize| json!({"id": at, "updated": rows[at]});
        Ok(stamped(match asked(request, "after").as_str() {
            "" => page(json!({"data": [row(0)], "next": "2"})),
            _ => page(json!({"data": [row(1)]})),
        }))
    });
    let list = Item::list("items", "/items")
        .records("data")
        .primary_key([Item::ID])
        .paginate(Paginator::token("after", "next"))
        .incremental(Cursor::updated(Item::UPDATED).param("since"));
    let source = Source::new("clocks", "https://api.example")
        .world(world)
        .resource(list);
    let into = InMemory::new(1);
    let all = RunOptions::default();
    let options = if stopped { all.limit(1) } else { all };
    run_by(&clock, &source, &into, &options).unwrap();
    if stopped {
        let rest = RunOptions::default();
        run_by(&clock, &source, &into, &rest).unwrap();
    }
    let state = &into.state()[&("items".to_owned(), String::new())];
    let state: serde_json::Value = serde_json::from_str(state).unwrap();
    state["cursor"].as_str().unwrap().to_owned()
}

#[test]
fn a_cursor_moves_to_where_the_pass_began_by_the_clock_of_the_api() {
    let hour = 3600;
    for stopped in [false, true] {
        // Changes during the pass may have been missed.
        let behind = cursor_after(Some(NOW - hour), [NOW - 2 * hour, NOW - hour + 5], stopped);
        assert_eq!(behind, (NOW - hour - LATE).to_string(), "{stopped}");
        let ahead = cursor_after(Some(NOW + hour), [NOW, NOW + hour - 5], stopped);
        assert_eq!(ahead, (NOW + hour - LATE).to_string(), "{stopped}");
        let ahead = cursor_after(Some(NOW + hour), [NOW, NOW + 2 * hour], stopped);
        assert_eq!(ahead, (NOW + hour - LATE).to_string(), "{stopped}");
        // If the API does not send its time, the local clock is used.
        assert_eq!(
            cursor_after(None, [NOW - 9, NOW + 5], stopped),
            (NOW - LATE).to_string()
        );
        assert_eq!(
            cursor_after(None, [NOW - 900, NOW - 500], stopped),
            (NOW - 500).to_string()
        );
    }
}
