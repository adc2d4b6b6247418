### Mails to administrators.

mail-invitation-subject = You are invited to look after { $company } in TimeClock 365
mail-invitation-text = You have been invited to look after { $company } in TimeClock 365. You will sign in as { $email }.
mail-invitation-ends = The link below can be used once, within seven days. Whoever has it can become this administrator, so do not pass this mail on.
mail-invitation-link = Accept the invitation

notice-expiring-subject = { $company }: the credential for Entra expires in { $days ->
    [one] { $days } day
   *[other] { $days } days
  }
notice-expiring-text = In { $days ->
    [one] { $days } day
   *[other] { $days } days
  } a credential with which Entra provisions { $company } expires, and Entra will be refused. Make a new one and enter it in Entra; the old one goes on working meanwhile.
notice-ended-subject = { $company }: no credential for Entra works any more
notice-ended-text = The last credential with which Entra provisions { $company } has expired or was revoked, and Entra is refused. People who join or leave are not provisioned meanwhile. Make a new one and enter it in Entra.
notice-certificate-subject = { $company }: the certificate for single sign-on expires in { $days ->
    [one] { $days } day
   *[other] { $days } days
  }
notice-certificate-text = In { $days ->
    [one] { $days } day
   *[other] { $days } days
  } the certificate with which the identity provider of { $company } signs expires, and nobody can sign in with it any more. Make a new one and make it active in your identity provider. If you pasted its metadata as XML, paste it again.
notice-warning-subject = { $company }: provisioning has problems
notice-warning-text = Some of what Entra asks of { $company } fails. If it goes on, Entra will slow down or stop.
notice-critical-subject = { $company }: provisioning is about to stop
notice-critical-text = So much of what Entra asks of { $company } fails that Entra is about to put the job into quarantine, or has. People who join or leave are then no longer provisioned.
notice-refused-subject = { $company }: Entra is refused
notice-refused-text = Entra calls for { $company } with a credential that has expired or was revoked, and is refused; it will put the job into quarantine. People who join or leave are not provisioned meanwhile. Open the console, copy the current token or create a new one, enter it in Entra, and choose Test Connection.
notice-silent-subject = { $company }: Entra has gone silent
notice-silent-text = Entra has not called for { $company } for several cycles. Look in Entra whether provisioning is still on.
notice-recovered-subject = { $company }: provisioning works again
notice-recovered-text = What Entra asks of { $company } is done again. There is nothing to do.
notice-why = You get this because you are an administrator and want notices. You can switch them off in your account.
notice-link = Open the console
