//! Many nested invoices for the benchmark, from bytes that are built once.

use serde_json::{Value, json};

use super::data::{CITIES, COUNTRIES, NAMES, START, WORDS, mix, pick};
use super::http::{Request, Response};

/// The number of different invoices that are built; further ones repeat them with other numbers.
const DIFFERENT: usize = 4_000;

const LARGEST_PAGE: usize = 100;

/// A placeholder for the number of an invoice, with the same length.
const NUMBER: &str = "@@@@@@@@";

/// An invoice as bytes, and the positions of its number.
struct Template {
    bytes: Vec<u8>,
    numbers: Vec<usize>,
}

/// Invoices in the order of their numbers.
pub(super) struct Bulk {
    total: usize,
    templates: Vec<Template>,
}

impl Bulk {
    pub fn new(total: usize) -> Bulk {
        Bulk::repeating(total, DIFFERENT)
    }

    fn repeating(total: usize, different: usize) -> Bulk {
        Bulk {
            total,
            templates: (0..total.min(different)).map(template).collect(),
        }
    }

    /// Responds to `GET /bulk/invoices`. It requires no key, because the benchmark measures only
    /// reading.
    pub fn answer(&self, request: &Request) -> Response {
        let limit = match request.number("limit") {
            Ok(limit) => usize::try_from(limit.unwrap_or(100)).unwrap_or(0),
            Err(message) => return error(400, &message),
        };
        let first = match request.param("cursor") {
            None => Some(0),
            Some(cursor) => cursor.strip_prefix('c').and_then(|n| n.parse().ok()),
        };
        match first {
            Some(first) if (1..=LARGEST_PAGE).contains(&limit) => {
                Response::bytes(200, self.page(first, limit))
                    .with("Content-Type", "application/json".to_owned())
            }
            Some(_) => error(400, "`limit` must be 1 to 100"),
            None => error(400, "`cursor` is unknown"),
        }
    }

    fn page(&self, first: usize, limit: usize) -> Vec<u8> {
        let end = first.saturating_add(limit).min(self.total);
        let mut page = Vec::with_capacity(limit * 4_096);
        page.extend_from_slice(b"{\"data\":[");
        for index in first..end {
            if index > first {
                page.push(b',');
            }
            let template = &self.templates[index % self.templates.len()];
            let start = page.len();
            page.extend_from_slice(&template.bytes);
            let number = format!("{:08}", index + 1);
            for at in &template.numbers {
                page[start + at..start + at + NUMBER.len()].copy_from_slice(number.as_bytes());
            }
        }
        let next = match end < self.total {
            true => format!("],\"next\":\"c{end}\"}}"),
            false => "],\"next\":null}".to_owned(),
        };
        page.extend_from_slice(next.as_bytes());
        page
    }
}

fn error(status: u16, message: &str) -> Response {
    Response::json(status, &json!({"message": message}))
}

fn template(index: usize) -> Template {
    let text = invoice(index).to_string();
    Template {
        numbers: text.match_indices(NUMBER).map(|(at, _)| at).collect(),
        bytes: text.into_bytes(),
    }
}

fn address(index: usize) -> Value {
    json!({
        "city": pick(&CITIES, index),
        "country": pick(&COUNTRIES, index),
        "line1": format!("{} {} Street", mix(index) % 90 + 1, pick(&WORDS, index)),
        "postal_code": format!("{:05}", mix(index + 1) % 100_000),
    })
}

fn invoice(index: usize) -> Value {
    let created = START + 60 * index as i64;
    let name = pick(&NAMES, index);
    let lines: Vec<Value> = (0..3).map(|at| line(index, at, created)).collect();
    let total: u64 = lines
        .iter()
        .filter_map(|line| line["amount"].as_u64())
        .sum();
    let paid = index % 5 != 1;
    json!({
        "id": format!("in_{NUMBER}"),
        "object": "invoice",
        "account_name": "Quarry & Harbour Ltd.",
        "amount_due": total,
        "amount_paid": if paid { total } else { 0 },
        "amount_remaining": if paid { 0 } else { total },
        "attempt_count": index % 4,
        "attempted": true,
        "auto_advance": index.is_multiple_of(4),
        "billing_reason": pick(&["subscription_cycle", "subscription_create", "manual"], index),
        "billing_address": address(index),
        "collection_method": pick(&["charge_automatically", "send_invoice"], index),
        "created": created,
        "currency": pick(&["eur", "usd", "chf"], index),
        "customer": format!("cus_{:016x}", mix(index % 700)),
        "customer_email": format!("billing{}@mail.example", index % 700),
        "customer_name": name,
        "customer_phone": format!("+41 44 {:03} {:02} {:02}", mix(index) % 1_000, mix(index + 1) % 100, mix(index + 2) % 100),
        "customer_tax_exempt": "none",
        "description": if index.is_multiple_of(3) { Value::Null } else {
            json!(format!("For the {} and the {}, as agreed with {name}", pick(&WORDS, index), pick(&WORDS, index / 7)))
        },
        "due_date": if paid { Value::Null } else { json!(created + 14 * 86_400) },
        "ending_balance": 0,
        "footer": format!("Payable within 14 days to the account named above. Thank you, {name}, for the {} and the {}: it is what keeps us going, as the {} does and the {} will.", pick(&WORDS, index + 3), pick(&WORDS, index + 5), pick(&WORDS, index + 7), pick(&WORDS, index + 9)),
        "hosted_invoice_url": format!("https://pay.billing.example/i/{:016x}{:016x}", mix(index), mix(index * 3 + 1)),
        "lines": {"data": lines, "has_more": false},
        "invoice_pdf": format!("https://pay.billing.example/i/{:016x}{:016x}/pdf", mix(index), mix(index * 3 + 1)),
        "livemode": false,
        "next_payment_attempt": if paid { Value::Null } else { json!(created + 86_400) },
        "metadata": {"order": format!("{}", mix(index) % 1_000_000), "region": pick(&COUNTRIES, index / 5)},
        "number": format!("A-{NUMBER}"),
        "paid": paid,
        "payment_intent": format!("pi_{:016x}{:016x}", mix(index + 5), mix(index * 7 + 2)),
        "period_end": created,
        "period_start": created - 30 * 86_400,
        "receipt_number": format!("R-{NUMBER}"),
        "shipping_address": if index.is_multiple_of(2) { address(index + 11) } else { Value::Null },
        "status": if paid { "paid" } else { "open" },
        "status_transitions": {
            "finalized_at": created + 3_600,
            "paid_at": if paid { json!(created + 7_200) } else { Value::Null },
        },
        "starting_balance": 0,
        "statement_descriptor": "QUARRY HARBOUR",
        "subscription": format!("sub_{:016x}", mix(index % 900)),
        "subtotal": total,
        "tags": ["monthly", pick(&WORDS, index)],
        "tax": total / 5,
        "total": total + total / 5,
        "webhooks_delivered_at": created + 30,
    })
}

fn line(index: usize, at: usize, created: i64) -> Value {
    let seed = index * 8 + at;
    let unit = 100 + mix(seed) % 9_000;
    let quantity = mix(seed + 1) % 5 + 1;
    json!({
        "id": format!("il_{NUMBER}_{at}"),
        "amount": unit * quantity,
        "currency": pick(&["eur", "usd", "chf"], index),
        "description": format!("{quantity} x {} plan (at {}.{:02} per month)", pick(&WORDS, seed), unit / 100, unit % 100),
        "discountable": at != 2,
        "period": {"end": created, "start": created - 30 * 86_400},
        "price": {
            "id": format!("price_{:016x}", mix(unit as usize % 50)),
            "active": true,
            "interval": pick(&["month", "year"], seed),
            "unit_amount": unit,
        },
        "proration": false,
        "quantity": quantity,
        "subscription": format!("sub_{:016x}", mix(index % 900)),
        "taxes": [{"amount": unit * quantity / 5, "inclusive": false, "rate": format!("txr_{:016x}", mix(index % 9))}],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invoice_has_about_3100_bytes() {
        let bulk = Bulk::new(300);
        let bytes: usize = bulk.templates.iter().map(|known| known.bytes.len()).sum();
        assert!((2_900..3_300).contains(&(bytes / 300)), "{}", bytes / 300);
    }

    #[test]
    fn a_page_has_its_own_numbers_and_the_cursor_of_the_next() {
        let bulk = Bulk::repeating(4_150, 60);
        let page: Value = serde_json::from_slice(&bulk.page(4_000, 100)).unwrap();
        assert_eq!(page["data"][0]["id"], "in_00004001");
        assert_eq!(page["data"][99]["lines"]["data"][0]["id"], "il_00004100_0");
        assert_eq!(page["next"], "c4100");
        let page: Value = serde_json::from_slice(&bulk.page(4_100, 100)).unwrap();
        assert_eq!(page["data"].as_array().unwrap().len(), 50);
        assert_eq!(page["next"], Value::Null);
    }
}
