//! Bytes that were sent once are read for ever.
