### What surrounds every page, and words that many pages use.

skip-to-content = Skip to content
menu = Menu
navigation = Main navigation
banner = Needs your attention
nav-overview = Overview
nav-people = People
nav-groups = Groups
nav-provisioning = Provisioning activity
nav-settings = Settings
nav-company = Company profile
nav-administrators = Administrators
nav-audit = Audit log
sign-out = Sign out
copied = Copied to the clipboard
not-copied = Your browser did not allow copying. Select the text and copy it yourself.
times-are-in = Times are in { $zone }.

copy = Copy
cancel = Cancel
never = Never
none = None
unknown = Unknown
breadcrumb = You are here
confirmed = You have confirmed who you are
confirmed-text = Nothing was done yet: select the button once more.

ago-moment = just now
ago-minutes = { $count ->
    [one] { $count } minute ago
   *[other] { $count } minutes ago
  }
ago-hours = { $count ->
    [one] { $count } hour ago
   *[other] { $count } hours ago
  }
ago-days = { $count ->
    [one] yesterday
   *[other] { $count } days ago
  }
in-moment = in a moment
in-minutes = { $count ->
    [one] in { $count } minute
   *[other] in { $count } minutes
  }
in-hours = { $count ->
    [one] in { $count } hour
   *[other] in { $count } hours
  }
in-days = { $count ->
    [one] tomorrow
   *[other] in { $count } days
  }

not-found-title = There is no such page
not-found-text = The address may be mistyped, or what it showed has been deleted since.
not-found-back = Go to the overview
