//! Evidence for keys: in the record, and in the rest of the document.

use super::*;

fn key(facts: &Facts, name: &str) -> String {
    resource(facts, name).primary_key.value.join(",")
}

/// Writes a list whose records have these properties.
fn list(path: &str, fields: &str) -> String {
    let schema = format!("{{type: array, items: {{type: object, properties: {{{fields}}}}}}}");
    get(path, "[]", &schema)
}

/// Writes a path to one object with these properties.
fn one(path: &str, fields: &str) -> String {
    get(
        path,
        "[]",
        &format!("{{type: object, properties: {{{fields}}}}}"),
    )
}

const CAR: &str = "plate: {type: string}, seats: {type: integer}, doors: {type: integer}";

#[test]
fn one_record_may_be_requested_at_another_path() {
    let text = list(
        "/depots",
        ITEM.trim_start_matches("{type: object, properties: {")
            .trim_end_matches("}}"),
    ) + &list("/depots/{depotId}/cars", CAR)
        + &one("/cars/{plate}", CAR);
    assert_eq!(key(&facts(&text), "cars"), "plate");
    // What is requested by a number of seats is a list.
    let text = list("/depots/{depotId}/cars", CAR) + &list("/cars/{seats}", CAR);
    let facts = facts(&text);
    assert!(
        facts
            .resources
            .iter()
            .all(|it| it.primary_key.value.is_empty())
    );
}

#[test]
fn the_same_records_have_the_same_key() {
    let fields = "speed: {type: integer}, url: {type: string}, tripId: {type: string}, carId: {type: string}";
    let facts = facts(&(list("/trips", fields) + &list("/alarms/fast", fields)));
    assert_eq!(key(&facts, "trips"), "tripId");
    assert_eq!(key(&facts, "fast"), "tripId");
    let reasons = &resource(&facts, "fast").primary_key.reasons;
    assert!(reasons[0].contains("/trips"), "{reasons:?}");
}

#[test]
fn a_key_of_several_kinds_of_records_is_that_of_the_house() {
    let unique = "handle: {type: string, description: The unique handle.}";
    let text = list("/cars", unique)
        + &list("/vans", unique)
        + &list(
            "/trips",
            "url: {type: string}, handle: {type: string}, from: {type: string}",
        )
        + &list("/stops", "street: {type: string}");
    let facts = facts(&text);
    assert_eq!(key(&facts, "trips"), "handle");
    assert_eq!(key(&facts, "stops"), "");
    // The loser is named.
    let others = &resource(&facts, "trips").primary_key.others;
    assert!(
        others.iter().any(|line| line.starts_with("not `url`")),
        "{others:?}"
    );
}

#[test]
fn what_people_call_a_thing_is_no_key_of_the_house() {
    let unique = "name: {type: string, description: The unique name.}";
    let text =
        list("/cars", unique) + &list("/vans", unique) + &list("/trips", "name: {type: string}");
    assert_eq!(key(&facts(&text), "trips"), "");
}

#[test]
fn a_path_may_end_with_a_format() {
    let fields = "owner_ref: {type: string}, ref: {type: string}, url: {type: string}";
    let text = list("/cars.json", fields) + &one("/cars/{ref}.json", fields);
    assert_eq!(key(&facts(&text), "cars"), "ref");
    let text =
        list("/cars.json", CAR) + &list("/cars/{car_plate}/trips.json", "id: {type: string}");
    let facts = facts(&text);
    let parent = resource(&facts, "trips").parent.value.clone();
    assert_eq!(
        parent.map(|parent| parent.path).as_deref(),
        Some("/cars.json")
    );
}

#[test]
fn a_list_of_the_same_records_by_another_id_gives_no_key() {
    let fields = "CarID: {type: integer}, at: {type: string}, by: {type: string}";
    let cars = "CarID: {type: integer}, seats: {type: integer}";
    let text =
        list("/cars", cars) + &list("/cars/washes", fields) + &list("/cars/washes/{carid}", fields);
    let facts = facts(&text);
    assert_eq!(key(&facts, "washes"), "");
    assert_eq!(key(&facts, "cars"), "CarID");
}

#[test]
fn a_whole_name_is_a_key_and_a_mere_name_is_not() {
    let whole = "name: {type: string, description: 'Format: `yards/{yard}/cars/{car}`.'}";
    assert_eq!(
        key(&facts(&list("/v1/{parent}/cars", whole)), "cars"),
        "name"
    );
    let mere = "name: {type: string, description: 'What people call it.'}";
    assert_eq!(key(&facts(&list("/v1/{parent}/cars", mere)), "cars"), "");
}

#[test]
fn the_number_of_a_trade_is_a_key() {
    assert_eq!(
        key(
            &facts(&list(
                "/goods",
                "price: {type: number}, sku: {type: string}"
            )),
            "goods"
        ),
        "sku"
    );
    assert_eq!(
        key(
            &facts(&list(
                "/prices",
                "price: {type: number}, unit: {type: string}"
            )),
            "prices"
        ),
        ""
    );
}

#[test]
fn the_id_of_what_a_record_is_about_gives_way() {
    let fields = "vendor_id: {type: string, description: Unique identifier of the applied discount}, discount_id: {type: string}";
    assert_eq!(
        key(
            &facts(&list("/applied_discounts", fields)),
            "applied_discounts"
        ),
        "vendor_id"
    );
    assert_eq!(
        key(&facts(&list("/discounts", fields)), "discounts"),
        "discount_id"
    );
}
