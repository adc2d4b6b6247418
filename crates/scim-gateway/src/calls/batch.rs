//! The calls of one company that are sent together.

use bus_contract::{
    Message as _,
    directory::{Call, CallBatch},
    subject,
};
use bus_jetstream::Bytes;
use typed_ids::CompanyId;
use uuid::Uuid;

/// Calls in one batch.
const MAX_CALLS: usize = 500;
/// Bytes from which on a batch is full; its last call is beyond them by a few kilobytes at most, and a message may have
/// four times as many.
const MAX_BYTES: usize = 256 * 1_024;

/// Calls that are being gathered, in the order in which they were answered.
#[derive(Default)]
pub(super) struct Batch {
    calls: Vec<Call>,
    bytes: usize,
}

/// A batch as it is sent.
pub(super) struct Sealed {
    pub(super) id: String,
    pub(super) subject: String,
    pub(super) payload: Bytes,
    /// How many calls are in it.
    pub(super) calls: usize,
}

impl Batch {
    pub(super) fn add(&mut self, call: Call) {
        self.bytes += call.encoded_len();
        self.calls.push(call);
    }

    pub(super) const fn len(&self) -> usize {
        self.calls.len()
    }

    pub(super) const fn is_full(&self) -> bool {
        self.calls.len() >= MAX_CALLS || self.bytes >= MAX_BYTES
    }

    pub(super) fn seal(self, company: CompanyId) -> Sealed {
        let calls = self.calls.len();
        let id = Uuid::now_v7().to_string();
        let batch = CallBatch { batch_id: id.clone(), company_id: company.to_string(), calls: self.calls };
        Sealed { id, subject: subject::calls(company), payload: batch.encode_to_vec().into(), calls }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_full_by_number_or_by_size() {
        let mut many = Batch::default();
        (1..MAX_CALLS).for_each(|_| many.add(Call::default()));
        assert!(!many.is_full());
        many.add(Call::default());
        assert!(many.is_full());

        let mut large = Batch::default();
        large.add(Call { detail: "x".repeat(MAX_BYTES - 10), ..Call::default() });
        assert!(!large.is_full());
        large.add(Call { detail: "x".repeat(10), ..Call::default() });
        assert!(large.is_full());
    }

    #[test]
    fn a_sealed_batch_says_whose_calls_it_holds() {
        let company = CompanyId::mint();
        let mut batch = Batch::default();
        batch.add(Call { status: 201, ..Call::default() });
        batch.add(Call { status: 409, ..Call::default() });

        let sealed = batch.seal(company);

        let read = CallBatch::decode(sealed.payload).unwrap();
        assert_eq!((read.batch_id, read.company_id), (sealed.id, company.to_string()));
        assert_eq!(read.calls.iter().map(|call| call.status).collect::<Vec<_>>(), [201, 409]);
        assert_eq!(sealed.calls, 2);
    }
}
