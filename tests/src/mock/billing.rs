//! A billing API similar to Stripe's: lists newest first, and the next page starts after the last id.

use std::sync::atomic::Ordering;
use std::time::SystemTime;

use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use super::Mock;
use super::data::{CITIES, COUNTRIES, NAMES, START, WORDS, drifts, extend, mix, pick};
use super::http::{Request, Response};

/// The key that the billing API accepts.
pub const BILLING_KEY: &str = "sk_test_mock";

/// The same key as the user name of Basic authentication, with an empty password.
const BASIC: &str = "Basic c2tfdGVzdF9tb2NrOg==";

const PAGE: i64 = 10;
const LARGEST_PAGE: i64 = 100;

/// One collection: the prefix of its ids, the seconds between its records, and how a record is built.
struct Collection {
    path: &'static str,
    prefix: &'static str,
    step: i64,
    count: usize,
    record: fn(usize) -> Value,
    drift: fn(&mut Value),
}

impl Collection {
    fn find(mock: &Mock, name: &str) -> Option<Collection> {
        let store = &mock.store;
        Some(match name {
            "customers" => Collection {
                path: "/v1/customers",
                prefix: "cus_",
                step: 60,
                count: store.customers.load(Ordering::SeqCst),
                record: customer,
                drift: |record| {
                    extend(record, json!({"balance": "12.50", "loyalty": "gold"}));
                },
            },
            "invoices" => Collection {
                path: "/v1/invoices",
                prefix: "in_",
                step: 60,
                count: store.invoices.load(Ordering::SeqCst),
                record: invoice,
                drift: |record| {
                    extend(
                        record,
                        json!({"amount_due": "12.50", "rounding": {"mode": "up"}}),
                    );
                },
            },
            "events" => Collection {
                path: "/v1/events",
                prefix: "evt_",
                step: 30,
                count: store.events.load(Ordering::SeqCst),
                record: event,
                drift: |record| extend(record, json!({"type": 7, "livemode": false})),
            },
            _ => return None,
        })
    }

    fn get(&self, mock: &Mock, index: usize) -> Value {
        let mut record = (self.record)(index);
        if mock.scenario.drift && drifts(index) {
            (self.drift)(&mut record);
        }
        record
    }

    fn index(&self, id: &str) -> Option<usize> {
        let number: usize = id.strip_prefix(self.prefix)?.parse().ok()?;
        number.checked_sub(1).filter(|index| *index < self.count)
    }

    /// Returns the number of records created before a time.
    fn before(&self, time: i64) -> usize {
        let made = (time.saturating_sub(START)).saturating_add(self.step - 1) / self.step;
        usize::try_from(made).unwrap_or(0).min(self.count)
    }

    fn list(&self, mock: &Mock, request: &Request) -> Result<Value, String> {
        let limit = request.number("limit")?.unwrap_or(PAGE);
        if !(1..=LARGEST_PAGE).contains(&limit) {
            return Err(format!("`limit` must be 1 to {LARGEST_PAGE}"));
        }
        let limit = usize::try_from(limit).unwrap_or(0);
        let (mut first, mut end) = (0, self.count);
        for (name, later) in [("gte", 0), ("gt", 1)] {
            if let Some(time) = request.number(&format!("created[{name}]"))? {
                first = first.max(self.before(time.saturating_add(later)));
            }
        }
        for (name, later) in [("lt", 0), ("lte", 1)] {
            if let Some(time) = request.number(&format!("created[{name}]"))? {
                end = end.min(self.before(time.saturating_add(later)));
            }
        }
        if let Some(id) = request.param("starting_after") {
            let index = self.index(id);
            end = end.min(index.ok_or_else(|| format!("no such object: {id}"))?);
        }
        let offset = request.number("offset")?.unwrap_or(0);
        end = end
            .saturating_sub(usize::try_from(offset).unwrap_or(0))
            .max(first);
        let last = first.max(end.saturating_sub(limit));
        let expand = request
            .query
            .iter()
            .any(|(name, value)| name.starts_with("expand[") && value == "data.customer");
        let data: Vec<Value> = (last..end)
            .rev()
            .map(|index| {
                let mut record = self.get(mock, index);
                if let Some(id) = record.get("customer").filter(|_| expand) {
                    let number = id.as_str().and_then(|id| id.strip_prefix("cus_"));
                    let number: usize = number.and_then(|n| n.parse().ok()).unwrap_or(1);
                    record["customer"] = customer(number - 1);
                }
                record
            })
            .collect();
        Ok(json!({
            "object": "list",
            "url": self.path,
            "data": data,
            "has_more": last > first,
        }))
    }
}

pub(super) fn answer(mock: &Mock, request: &Request) -> Response {
    let bearer = format!("Bearer {BILLING_KEY}");
    match request.header("authorization") {
        Some(given) if given == bearer || given == BASIC => {}
        None if is_signed(request) => {}
        Some(_) => return error(401, "Invalid API key provided."),
        None => return error(401, "You did not provide an API key."),
    }
    let parts: Vec<&str> = request.path.split('/').skip(2).collect();
    if let ["invoices" | "payments", id, below] = parts.as_slice()
        && let Some(list) = undocumented(mock, below, id)
    {
        return Response::json(200, &list);
    }
    let name = parts.first().copied().unwrap_or_default();
    let Some(collection) = Collection::find(mock, name) else {
        return error(404, &format!("Unrecognized request URL: {}", request.path));
    };
    match (request.method.as_str(), parts.as_slice()) {
        ("GET", [_]) => match collection.list(mock, request) {
            Ok(list) => Response::json(200, &list),
            Err(message) => error(400, &message),
        },
        ("GET", [_, id]) => match collection.index(id) {
            Some(index) => Response::json(200, &collection.get(mock, index)),
            None => error(404, &format!("no such object: {id}")),
        },
        ("GET", ["invoices", id, "lines"]) => match collection.index(id) {
            Some(index) => match line_list(id, index, request) {
                Ok(list) => Response::json(200, &list),
                Err(message) => error(400, &message),
            },
            None => error(404, &format!("no such object: {id}")),
        },
        ("POST", ["customers"]) => {
            let index = mock.store.customers.fetch_add(1, Ordering::SeqCst);
            Response::json(200, &customer(index))
        }
        _ => error(405, "This method is not allowed here."),
    }
}

/// Returns whether a request is signed with the key, as in `docs/customise.md`: HMAC-SHA256 over
/// time, method, target and body (which no list has), at most five minutes old.
fn is_signed(request: &Request) -> bool {
    let (Some(time), Some(given)) = (request.header("x-timestamp"), request.header("x-signature"))
    else {
        return false;
    };
    let now = SystemTime::UNIX_EPOCH
        .elapsed()
        .unwrap_or_default()
        .as_secs();
    let is_new = time.parse().is_ok_and(|time: u64| now.abs_diff(time) < 300);
    let text = format!("{time}\n{}\n{}\n", request.method, request.target);
    let mut mac = Hmac::<Sha256>::new_from_slice(BILLING_KEY.as_bytes()).unwrap();
    mac.update(text.as_bytes());
    let bytes = mac.finalize().into_bytes();
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    is_new && given == hex
}

/// Returns lists that the document lacks: the payments of an invoice, the refunds of a payment.
fn undocumented(mock: &Mock, name: &str, parent: &str) -> Option<Value> {
    let data: Vec<Value> = match name {
        "payments" => {
            let index = Collection::find(mock, "invoices")?.index(parent)?;
            let payment = |number| {
                json!({
                    "id": format!("pay_{:06}_{number}", index + 1),
                    "amount": 1_000 + index,
                    "currency": "eur",
                    "method": pick(&["card", "transfer"], index),
                })
            };
            (0..index % 3).map(payment).collect()
        }
        "refunds" => {
            let number = parent.strip_prefix("pay_")?;
            let refund = json!({"id": format!("re_{number}"), "amount": 10});
            number
                .ends_with("_1")
                .then_some(refund)
                .into_iter()
                .collect()
        }
        _ => return None,
    };
    Some(json!({"object": "list", "data": data, "has_more": false}))
}

fn error(status: u16, message: &str) -> Response {
    let error = json!({"type": "invalid_request_error", "message": message});
    Response::json(status, &json!({ "error": error }))
}

fn address(index: usize) -> Value {
    json!({
        "city": pick(&CITIES, index),
        "country": pick(&COUNTRIES, index),
        "line1": format!("{} {} Street", index % 90 + 1, pick(&WORDS, index)),
        "postal_code": format!("{:05}", mix(index) % 100_000),
    })
}

fn customer_id(index: usize) -> String {
    format!("cus_{:06}", index + 1)
}

fn customer(index: usize) -> Value {
    json!({
        "id": customer_id(index),
        "object": "customer",
        "address": if index % 5 == 4 { Value::Null } else { address(index) },
        "balance": (mix(index) % 20_000) as i64 - 5_000,
        "created": START + 60 * index as i64,
        "delinquent": index % 9 == 3,
        "email": if index % 7 == 6 { Value::Null } else { json!(format!("c{index}@mail.example")) },
        "metadata": if index.is_multiple_of(3) {
            json!({"tier": pick(&WORDS, index), "seats": format!("{}", index % 40)})
        } else {
            json!({})
        },
        "name": pick(&NAMES, index),
    })
}

/// Returns the number of lines of the first invoices; every 20th may have more lines than the
/// invoice itself holds.
pub fn invoice_lines(invoices: usize) -> usize {
    (0..invoices).map(line_count).sum()
}

fn line_count(index: usize) -> usize {
    match index % 20 {
        19 => 8 + mix(index) as usize % 240,
        _ => index % 4,
    }
}

fn lines(index: usize) -> Vec<Value> {
    let created = START + 60 * index as i64;
    let line = |line: usize| {
        json!({
            "id": format!("il_{:06}_{line}", index + 1),
            "amount": 100 + mix(index * 8 + line) % 9_000,
            "description": if line == 2 {
                Value::Null
            } else {
                json!(format!("{} plan", pick(&WORDS, index + line)))
            },
            "period": {"end": created, "start": created - 30 * 86_400},
            "quantity": line + 1,
        })
    };
    (0..line_count(index)).map(line).collect()
}

/// Responds to `/v1/invoices/{invoice}/lines`.
fn line_list(id: &str, index: usize, request: &Request) -> Result<Value, String> {
    let limit = request.number("limit")?.unwrap_or(PAGE);
    if !(1..=LARGEST_PAGE).contains(&limit) {
        return Err(format!("`limit` must be 1 to {LARGEST_PAGE}"));
    }
    let lines = lines(index);
    let first = match request.param("starting_after") {
        None => 0,
        Some(after) => {
            let place = lines.iter().position(|line| line["id"] == after);
            place.ok_or_else(|| format!("no such object: {after}"))? + 1
        }
    };
    Ok(line_page(id, &lines[first..], limit as usize))
}

fn line_page(id: &str, lines: &[Value], limit: usize) -> Value {
    json!({
        "object": "list",
        "data": lines[..lines.len().min(limit)],
        "has_more": lines.len() > limit,
        "url": format!("/v1/invoices/{id}/lines"),
    })
}

fn invoice(index: usize) -> Value {
    let created = START + 60 * index as i64;
    let (id, lines) = (format!("in_{:06}", index + 1), lines(index));
    let due: u64 = lines
        .iter()
        .filter_map(|line| line["amount"].as_u64())
        .sum();
    let mut within = line_page(&id, &lines, PAGE as usize);
    if let Some(list) = within.as_object_mut() {
        list.remove("object");
    }
    json!({
        "id": id,
        "amount_due": due,
        "billing_address": if index % 6 == 5 { Value::Null } else { address(index) },
        "created": created,
        "currency": pick(&["eur", "usd", "chf"], index),
        "customer": customer_id(index % 100),
        "lines": within,
        "paid": index % 4 != 1,
        "tags": if index.is_multiple_of(2) { json!([pick(&WORDS, index), "monthly"]) } else { json!([]) },
    })
}

fn event(index: usize) -> Value {
    let about = if index.is_multiple_of(2) {
        json!({"id": customer_id(index % 100), "object": "customer"})
    } else {
        json!({"id": format!("in_{:06}", index % 100 + 1), "paid": index % 4 == 1})
    };
    json!({
        "id": format!("evt_{:06}", index + 1),
        "created": START + 30 * index as i64,
        "data": {"object": about},
        "type": pick(&["customer.updated", "invoice.paid"], index),
    })
}
