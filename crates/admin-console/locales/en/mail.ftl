### Mails to administrators.

mail-invitation-subject = You are invited to look after { $company } in TimeClock 365
mail-invitation-text = You have been invited to look after { $company } in TimeClock 365. You will sign in as { $email }.
mail-invitation-ends = The link below can be used once, within seven days. Whoever has it can become this administrator, so do not pass this mail on.
mail-invitation-link = Accept the invitation
