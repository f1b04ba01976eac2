//! Failures that seeds have found, one scenario each.

use etlgen_simulation::{Grade, Scenario, examples, play};

#[test]
fn a_small_honest_list_is_proved() {
    let verdict = play(&Scenario::default(), None, true);
    assert_eq!(verdict.wrong, None, "{}", verdict.trace);
    assert_eq!(verdict.last, Some(Grade::Proved), "{}", verdict.trace);
}

/// Plays a scenario that a seed has found, and checks that it holds.
fn holds(example: fn() -> Scenario) {
    let verdict = play(&example(), None, true);
    assert_eq!(verdict.wrong, None, "{}", verdict.trace);
}

#[test]
fn a_server_that_rounds_offsets_is_read_to_its_end() {
    holds(examples::rounded);
}

#[test]
fn a_numbered_link_is_no_place_to_go_on_from() {
    holds(examples::numbered_link_resumed);
}

#[test]
fn a_page_of_one_row_may_be_asked_for_one_row_early() {
    holds(examples::one_row_early);
}

#[test]
fn a_row_that_slipped_through_a_consistent_run_comes_later() {
    holds(examples::slipped);
}

#[test]
fn a_list_below_no_records_is_proved() {
    let verdict = play(&examples::no_parents(), None, true);
    assert_eq!(verdict.wrong, None, "{}", verdict.trace);
    assert_eq!(verdict.last, Some(Grade::Proved), "{}", verdict.trace);
}
