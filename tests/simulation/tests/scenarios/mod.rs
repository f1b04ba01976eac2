//! Failures that seeds have found, one scenario each.

use etlgen_simulation::examples::statements;
use etlgen_simulation::{Grade, Place, Scenario, examples, play};

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

#[test]
fn a_pass_that_goes_on_after_a_kill_is_proved_if_its_rows_are_read_back() {
    for (place, grade) in [
        (Place::Model, Grade::Proved),
        (Place::Sqlite, Grade::Proved),
        (Place::Parquet, Grade::Proved),
        (Place::Forgetful, Grade::Open),
    ] {
        let verdict = play(&examples::resumed(place), None, true);
        assert_eq!(verdict.wrong, None, "{}", verdict.trace);
        assert_eq!(verdict.last, Some(grade), "{place:?} {}", verdict.trace);
        let first_page = verdict.trace.matches("GET /items?limit=5 ->").count();
        assert_eq!(first_page, 1, "{}", verdict.trace);
    }
}

#[test]
fn a_child_list_that_is_not_found_is_not_proved_gone_if_its_parent_is_not_read() {
    let verdict = play(&examples::hidden_below_unchanged(), None, true);
    assert_eq!(verdict.wrong, None, "{}", verdict.trace);
    assert_eq!(verdict.last, Some(Grade::Open), "{}", verdict.trace);
}

#[test]
fn a_key_of_two_records_is_seen_by_a_run_that_continues_from_the_last_value() {
    holds(examples::key_of_two_across_last_values);
}

#[test]
fn a_record_that_moves_to_the_last_window_is_found_there() {
    holds(examples::moved_to_the_last_window);
}

#[test]
fn a_list_by_number_that_is_cut_off_is_not_proved_by_its_last_part() {
    holds(examples::cut_off_by_number);
    holds(examples::cut_off_by_numbered_links);
}

#[test]
fn equal_rows_before_a_kill_are_not_forgotten() {
    holds(examples::equal_rows_before_a_kill);
}

#[test]
fn a_list_that_has_contradicted_itself_is_read_from_its_start() {
    holds(examples::circle_in_two_runs);
    holds(examples::object_in_two_runs);
}

#[test]
fn a_row_that_comes_again_on_another_page_of_a_list_without_a_key_may_hide_another_one() {
    holds(examples::equal_rows_of_two_pages);
}

#[test]
fn a_list_that_ends_before_a_count_of_an_earlier_response_is_not_proved() {
    holds(statements::count_that_fell);
    holds(statements::count_of_an_earlier_run);
}

#[test]
fn a_number_of_pages_that_is_too_low_is_not_proved_by_an_empty_page() {
    holds(statements::pages_too_low);
}

#[test]
fn a_list_is_read_to_its_end_if_its_first_page_exceeds_the_total() {
    holds(statements::total_below_the_first_page);
}

#[test]
fn an_overlap_does_not_hide_that_a_list_has_no_order() {
    holds(statements::unordered_behind_the_overlap);
}

#[test]
fn an_object_after_pages_of_one_row_is_not_a_record() {
    holds(statements::object_after_pages_of_one_row);
}

#[test]
fn a_feed_that_does_not_show_the_order_of_two_changes_proves_nothing() {
    holds(statements::feed_without_an_order);
}
