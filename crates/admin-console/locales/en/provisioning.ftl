### Provisioning activity: cycles, the log, one request, the export.

provisioning-lead = Every request Microsoft Entra makes to keep your people and groups up to date.
export = Export CSV
export-limit = An export holds at most { $count } lines; choose a shorter period for the others.
cycle-running = Cycle in progress
cycle-live = Live
cycle-started = Started
cycle-initial = first cycle
cycle-rate = { $rate ->
    [one] { $rate } request per second
   *[other] { $rate } requests per second
  }
cycle-progress = Progress against the previous cycle
cycle-of-about = { $count } of about { $size } objects checked
cycle-deleted = Deleted
cycle-none = No cycle yet
cycle-none-text = Microsoft Entra has not checked anything here yet. Once provisioning is on, it comes about every 40 minutes.
cycles-title = Past cycles
cycles-lead = A cycle is a run of requests without a long pause. Microsoft Entra starts one about every 40 minutes.
cycles-started = Started
cycles-lasted = Lasted
lasted-seconds = { $count ->
    [one] { $count } second
   *[other] { $count } seconds
  }
lasted-minutes = { $count ->
    [one] { $count } minute
   *[other] { $count } minutes
  }
causes-title = Why requests failed
causes-count = Times
causes-reference = refers to somebody who is not there; does not count towards quarantine
day-title = Requests, last 24 hours
day-count = { $calls ->
    [one] { $calls } request
   *[other] { $calls } requests
  }, { $failures ->
    [one] { $failures } failure
   *[other] { $failures } failures
  }
day-interval = Microsoft Entra checks people about every 40 minutes.
log-title = Provisioning log
log-search = Beginning of a name, or request ID
log-action = Action
log-result = Result
log-period = When
log-time = Time
log-whom = Person or group
log-details = Details
log-nameless = (no name)
log-open = Show this request
log-none = No requests
log-none-text = Microsoft Entra has made no request in this period.
log-none-found = No request matches all filters at once. Take one away, or choose a longer period.
request-title = Request
request-decision = What we decided, and why
request-accepted = Received
request-applied = Decided
request-verb = Kind
request-status = HTTP status
request-address = From address
request-credential = Token or client
csv-time = Time (UTC)
csv-request = Request ID
csv-message = Message
csv-person = Person ID
csv-group = Group ID
csv-changes = Changes
csv-access-removed = Access removed after (ms)
csv-redacted = changed, not recorded
