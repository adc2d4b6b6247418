//! Handshakes: at most so many at once and for at most so long, so that strangers who never finish one cost nothing.

use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use actix_web::rt::net::TcpStream;
use prometheus::IntCounterVec;
use rustls::ServerConfig;
use tokio::sync::oneshot;
use tokio_rustls::{TlsAcceptor, server::TlsStream};

/// How long a caller may take to shake hands.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// Handshakes of a listener under way at once. Honest ones take a few round trips, so this is thousands a second.
const MOST_HANDSHAKES: usize = 512;

/// How a handshake can end.
pub(super) const RESULTS: [&str; 4] = [OK, FAILED, TIMEOUT, DISPLACED];
const OK: &str = "ok";
const FAILED: &str = "failed";
const TIMEOUT: &str = "timeout";
const DISPLACED: &str = "displaced";

/// Shakes hands with callers. Cheap to clone.
#[derive(Clone)]
pub(in crate::http) struct Handshakes {
    acceptor: TlsAcceptor,
    pending: Arc<Mutex<Pending>>,
    counter: IntCounterVec,
}

/// Handshakes under way, by the order of their beginning.
#[derive(Default)]
struct Pending {
    begun: u64,
    /// Dropping one ends its handshake.
    open: BTreeMap<u64, oneshot::Sender<()>>,
}

impl Handshakes {
    pub(super) fn new(config: Arc<ServerConfig>, counter: IntCounterVec) -> Self {
        Self { acceptor: TlsAcceptor::from(config), pending: Arc::default(), counter }
    }

    /// The connection, as soon as both sides agree.
    ///
    /// When there are too many, the one that has taken longest makes room: whoever means it has long finished, and
    /// refusing the newest would let a few hundred silent connections keep everybody else out.
    pub(in crate::http) async fn shake(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let (_place, displaced) = Place::take(&self.pending);
        let accepted = tokio::time::timeout(HANDSHAKE_TIMEOUT, self.acceptor.accept(stream));
        let (result, outcome) = tokio::select! {
            accepted = accepted => match accepted {
                Ok(Ok(stream)) => (OK, Ok(stream)),
                Ok(Err(error)) => (FAILED, Err(error)),
                Err(_elapsed) => (TIMEOUT, Err(io::ErrorKind::TimedOut.into())),
            },
            _dropped = displaced => (DISPLACED, Err(io::ErrorKind::ConnectionAborted.into())),
        };
        self.counter.with_label_values(&[result]).inc();
        if let Err(error) = &outcome {
            // There is no end of strangers who do not speak TLS, or an old one.
            tracing::debug!(%error, result, "no TLS connection came about");
        }
        outcome
    }
}

/// A handshake's place among those under way.
struct Place {
    number: u64,
    pending: Arc<Mutex<Pending>>,
}

impl Place {
    fn take(pending: &Arc<Mutex<Pending>>) -> (Self, oneshot::Receiver<()>) {
        let (sender, displaced) = oneshot::channel();
        let mut guard = lock(pending);
        if guard.open.len() >= MOST_HANDSHAKES {
            guard.open.pop_first();
        }
        let number = guard.begun;
        guard.begun += 1;
        guard.open.insert(number, sender);
        (Self { number, pending: Arc::clone(pending) }, displaced)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        lock(&self.pending).open.remove(&self.number);
    }
}

fn lock(pending: &Mutex<Pending>) -> MutexGuard<'_, Pending> {
    pending.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot::error::TryRecvError;

    use super::*;

    #[test]
    fn when_there_are_too_many_the_one_that_has_taken_longest_makes_room() {
        let pending = Arc::default();
        let mut places: Vec<_> = (0..MOST_HANDSHAKES).map(|_| Place::take(&pending)).collect();
        assert_eq!(places[0].1.try_recv(), Err(TryRecvError::Empty));

        let newest = Place::take(&pending);
        assert_eq!(places[0].1.try_recv(), Err(TryRecvError::Closed), "it is told to end");
        assert_eq!(places[1].1.try_recv(), Err(TryRecvError::Empty), "the others are not");

        drop(places.swap_remove(5));
        let another = Place::take(&pending);
        assert_eq!(places[1].1.try_recv(), Err(TryRecvError::Empty), "a place was free");
        drop((newest, another, places));
        assert!(lock(&pending).open.is_empty());
    }
}
