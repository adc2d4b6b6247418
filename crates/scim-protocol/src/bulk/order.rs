//! In which order the operations of a bulk request can be carried out.

use super::{BulkOperation, BulkRequest, reference};
use crate::error::ScimError;
use std::collections::{HashMap, VecDeque};

/// What to do next.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Resolve the references of the operation at this position, counted from 0, and carry it out.
    CarryOut(usize),
    /// The operation at this position cannot be carried out, for this reason.
    Refuse(usize, ScimError),
}

impl BulkRequest {
    /// The order in which the operations are carried out: that of the request, but an operation that refers to what a
    /// later one creates comes right behind the last of those (RFC 7644 §3.7.1, §3.7.2).
    ///
    /// Every operation has one step. Those that refer to each other in a circle, or to such, are refused with 409, at
    /// the end. A reference to what no operation creates is left for [`super::Action::resolve`] to fail on.
    #[must_use]
    pub fn order(&self) -> Vec<Step> {
        let mut waits = Waits::of(&self.operations);
        let mut steps = Vec::with_capacity(self.operations.len());
        let mut ready = VecDeque::new();
        for (position, operation) in self.operations.iter().enumerate() {
            if let Err(error) = &operation.action {
                steps.push(Step::Refuse(position, error.clone()));
                continue;
            }
            if waits.number(position) == 0 {
                ready.push_back(position);
            }
            while let Some(next) = ready.pop_front() {
                steps.push(Step::CarryOut(next));
                // One that comes later in the request is not ready before its own turn.
                ready.extend(waits.done(next).into_iter().filter(|freed| *freed < position));
            }
        }
        let stuck = (0..self.operations.len()).filter(|position| waits.number(*position) > 0);
        steps.extend(stuck.map(|position| Step::Refuse(position, circular())));
        steps
    }
}

/// Who waits for whom.
struct Waits {
    /// For how many operations each one waits.
    numbers: Vec<usize>,
    /// The operations that wait for each one, in the order of the request.
    waiting: Vec<Vec<usize>>,
}

impl Waits {
    fn of(operations: &[BulkOperation]) -> Self {
        let creators: HashMap<&str, usize> = operations
            .iter()
            .enumerate()
            .filter_map(|(position, operation)| Some((operation.creates_under()?, position)))
            .collect();
        let mut waits =
            Self { numbers: vec![0; operations.len()], waiting: vec![Vec::new(); operations.len()] };
        for (position, operation) in operations.iter().enumerate() {
            let mut awaited = Vec::new();
            let mut see = |bulk_id| awaited.extend(creators.get(bulk_id).copied());
            if let Ok(action) = &operation.action {
                action.target.reference().into_iter().for_each(&mut see);
                reference::each(&action.data, &mut see);
            }
            // Several references to the same one are waited for as often, and all done at once.
            for creator in &awaited {
                waits.waiting.get_mut(*creator).into_iter().for_each(|waiting| waiting.push(position));
            }
            waits.numbers.get_mut(position).into_iter().for_each(|number| *number = awaited.len());
        }
        waits
    }

    fn number(&self, position: usize) -> usize {
        self.numbers.get(position).copied().unwrap_or_default()
    }

    /// Notes that an operation is done; returns those that waited for nothing else.
    fn done(&mut self, position: usize) -> Vec<usize> {
        let mut freed = self.waiting.get_mut(position).map(std::mem::take).unwrap_or_default();
        freed.retain(|waiting| match self.numbers.get_mut(*waiting) {
            Some(number) => {
                *number -= 1;
                *number == 0
            }
            None => false,
        });
        freed
    }
}

/// RFC 7644 §3.7.1 wants circles to be tried and allows 409 when that fails. It would: an id is known after its create,
/// and a create needs all ids that it refers to.
fn circular() -> ScimError {
    ScimError::new(
        409,
        None,
        "operations refer to each other in a circle; create the resources first and refer to them with a PATCH",
    )
}
