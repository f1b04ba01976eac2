//! What seeds have found, as scenarios that stay when the generator changes.

use etlgen_simulation::{Grade, Scenario, play};

#[test]
fn a_small_honest_list_is_proved() {
    let verdict = play(&Scenario::default(), None, true);
    assert_eq!(verdict.wrong, None, "{}", verdict.trace);
    assert_eq!(verdict.last, Some(Grade::Proved), "{}", verdict.trace);
}
