-- From which networks accounts were signed in to. Whoever tries an account from elsewhere cannot make its owner wait there.
-- Names no company, like attempts.
CREATE TABLE known_networks (
  -- SHA-256 of account and network.
  network_key  bytea       NOT NULL CONSTRAINT known_networks_pkey PRIMARY KEY,
  signed_in_at timestamptz NOT NULL
);
CREATE INDEX known_networks_signed_in_at_idx ON known_networks (signed_in_at);
