### The overview, the connection's health, and what must be said about it.

overview-lead = How Microsoft Entra keeps your people and groups up to date.
overview-connect-title = Connect Microsoft Entra
overview-connect-text = Microsoft Entra creates, updates and deactivates your people’s accounts for you. Connecting takes a few minutes, and you need an administrator of your Microsoft Entra tenant.
overview-connect = Start
overview-token = Microsoft Entra token
overview-no-token = No token
overview-token-link = Manage the token
overview-client-link = Manage the client

state-healthy = Connected
state-warning = Needs attention
state-critical = Quarantine risk
state-disconnected = No longer connected
state-never-connected = Not connected yet
state-unknown = Unknown

health-title = Connection health
health-more = View provisioning activity
health-last-call = Last request
health-last-cycle = Last cycle
health-checked = { $count ->
    [one] { $count } object checked
   *[other] { $count } objects checked
  }
health-success = Success, last 24 hours
health-next-cycle = Next cycle expected
health-overdue = Overdue
health-running = Running now
per-cent = { $number }%
now = Now
picture = Requests in the last 24 hours: { $calls }, of which { $failures } failed. One bar is half an hour.
picture-caption = Requests, last 24 hours · { $calls ->
    [one] { $calls } request
   *[other] { $calls } requests
  }, { $failures ->
    [one] { $failures } failure
   *[other] { $failures } failures
  }

size-title = Your organization
size-active = { $count } active
size-counted = Counted
size-unknown = Not counted yet.

cycle-checked = Checked
cycle-created = Created
cycle-updated = Updated
cycle-deactivated = Deactivated
cycle-unchanged = Unchanged
cycle-failed = Failed

away-title = This cannot be shown at the moment
away-text = A part of TimeClock 365 does not answer. Nothing is lost: requests from Microsoft Entra are kept and applied. Try again in a minute.
away-again = Try again

concern-unauthenticated = Microsoft Entra calls with a token that is no longer valid
concern-unauthenticated-advice = { $count ->
    [one] { $count } request was refused
   *[other] { $count } requests were refused
  } since { $since }. People keep their access, but changes do not arrive, and Microsoft Entra puts the connection in quarantine. Copy the current token, and paste it in Microsoft Entra under Enterprise applications › TimeClock 365 › Provisioning › Admin Credentials › Secret Token. Then select Test Connection and Save.
concern-unauthenticated-link = Copy the current token
concern-silent = Microsoft Entra has not called since { $since }
concern-silent-advice = It usually calls about every 40 minutes. In Microsoft Entra, open Enterprise applications › TimeClock 365 › Provisioning: check that Provisioning Status is On, and whether the page speaks of quarantine. If it does, select Restart provisioning.
concern-silent-link = Check the connection step by step
concern-failure-ratio = { $count } of 100 changes fail in this cycle
concern-failure-ratio-advice = What fails does not arrive, and Microsoft Entra tries it again with each cycle. From 5,000 failures on, it puts a connection in quarantine when more than { $limit } of 100 fail, and then calls only once a day. Look at what fails, and mend the most frequent cause first.
concern-failure-count = { $count ->
    [one] { $count } failure
   *[other] { $count } failures
  } in this cycle
concern-failure-count-advice = Microsoft Entra puts a connection in quarantine at { $limit } failures. It then calls only once a day. Look at what fails, and mend the most frequent cause first.
concern-server-errors = TimeClock 365 could not answer { $count ->
    [one] { $count } request
   *[other] { $count } requests
  }
concern-server-errors-advice = This is on our side, and our operators have been told. Microsoft Entra tries again by itself: you need not do anything.
concern-failures-link = Show what failed

credential-none = No token works any more
credential-none-advice = Microsoft Entra cannot reach TimeClock 365: people keep their access, but changes do not arrive. Create a new token, and paste it in Microsoft Entra under Enterprise applications › TimeClock 365 › Provisioning › Admin Credentials.
credential-expiring = The token that Microsoft Entra uses expires { $distance }
credential-expiring-advice = It ends on { $date }, and then changes do not arrive any more. Rotate it now: the current one keeps working while you paste the new one.
credential-retiring = Microsoft Entra still uses the previous token, which ends { $distance }
credential-retiring-advice = It ends on { $date }. Paste the new token in Microsoft Entra before then, under Enterprise applications › TimeClock 365 › Provisioning › Admin Credentials › Secret Token.
credential-link = Manage the token

cause-invalid = A value is not valid
cause-unauthenticated = The token is not valid
cause-not-found = The person or group is not here
cause-taken = Somebody else has this name already
cause-too-many = Too many requests at once
cause-ours = TimeClock 365 could not answer
