use etlgen_runtime::prelude::*;

use crate::api;
use crate::types::Address;

/// The people and companies that are billed: `GET /v1/customers`
pub fn customers() -> Resource<Customer> {
    Customer::list("customers", "/v1/customers")
        .records("data")
        .primary_key([Customer::ID])
        .paginate(api::pages())
        .incremental(
            Cursor::created(Customer::CREATED)
                .param("created[gte]")
                .until("created[lte]"),
        )
}

/// A person or company that is billed.
#[derive(Record)]
pub struct Customer {
    pub id: Option<String>,
    /// What kind of object this is.
    pub object: Option<String>,
    pub address: Option<Address>,
    /// What the customer owes, in the smallest unit of the currency.
    pub balance: Option<i64>,
    pub created: Option<UnixTime>,
    pub delinquent: Option<bool>,
    pub email: Option<String>,
    /// Notes of the account's owner, by key.
    pub metadata: Option<Json>,
    pub name: Option<String>,
}
