DROP TABLE token_events, revocations, tokens, signing_keys;
