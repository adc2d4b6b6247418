### People, groups, and what happened to one of them.

people-lead = These accounts belong to Microsoft Entra, and are read-only here. To change one, change it in Microsoft Entra: it arrives with the next cycle.
people-search = Name, e-mail or employee number begins with, or ID
people-state = Status
people-active = Active
people-inactive = Deactivated
people-name = Name
people-changed = Last changed
people-none = Nobody here yet
people-none-text = As soon as Microsoft Entra creates somebody, they appear here.
people-none-found = Nobody was found
people-none-found-text = Search for the beginning of a name, surname, user name, e-mail address or employee number, or for a whole ID.

person-lead = Read-only: Microsoft Entra owns this account.
person-signed-out = All sessions of this person have ended. To keep them out, deactivate them in Microsoft Entra.
person-attributes = Attributes
person-facts = At a glance
person-created = Created
person-manager = Manager
person-id = ID
person-no-groups = In no group.
person-more-groups = And { $count } more.
person-deleted = This account was deleted
person-deleted-text = What is below is what happened while it existed.
attribute-value = Value

groups-lead = These groups belong to Microsoft Entra, and are read-only here.
groups-search = Name begins with, or ID
groups-none = No groups yet
groups-none-text = Assign a group to the application in Microsoft Entra and turn on its mapping; it appears here with the next cycle.
groups-none-found = No group was found
groups-none-found-text = Search for the beginning of a name, or for a whole ID. Words in the middle of it are not searched.
group-lead = Read-only: Microsoft Entra owns this group.
group-members = Members
group-no-members = Nobody is a member.
group-member-kind = Kind
group-member-person = Person
group-member-group = Group
group-deleted = This group was deleted

story-title = What happened
story-lead = Every request of Microsoft Entra about it, the newest first: what we decided, and why.
story-empty = Nothing is recorded.
show-more = Show more
show-older = Show older

told-entra = Microsoft Entra was told:
how-to-fix = How to fix it
changes-caption = What changed
changes-attribute = Attribute
changes-before = Before
changes-after = After
changes-nothing = no value
changes-redacted = Changed. The value is personal, and was not recorded.
access-removed = { $sessions ->
    [0] Access removed; no session was open.
    [one] Access removed ({ $sessions } session ended).
   *[other] Access removed ({ $sessions } sessions ended).
  }
access-removed-milliseconds = { $sessions ->
    [0] Access removed after { $time } ms; no session was open.
    [one] Access removed after { $time } ms ({ $sessions } session ended).
   *[other] Access removed after { $time } ms ({ $sessions } sessions ended).
  }
access-removed-seconds = { $sessions ->
    [0] Access removed after { $time } s; no session was open.
    [one] Access removed after { $time } s ({ $sessions } session ended).
   *[other] Access removed after { $time } s ({ $sessions } sessions ended).
  }
receipt-download = Download receipt
receipt-what = Signed by TimeClock 365: who lost access, when it was asked for and when it ended. Auditors can check it without asking us.
members-added = { $count ->
    [one] { $count } member joined.
   *[other] { $count } members joined.
  }
members-removed = { $count ->
    [one] { $count } member left.
   *[other] { $count } members left.
  }

action-create-person = Create person
action-create-group = Create group
action-update-person = Update person
action-update-group = Update group
action-add-members = Add { $added ->
    [one] { $added } member
   *[other] { $added } members
  }
action-remove-members = Remove { $removed ->
    [one] { $removed } member
   *[other] { $removed } members
  }
action-deactivate = Deactivate person
action-reactivate = Reactivate person
action-delete-person = Delete person
action-delete-group = Delete group
action-read = Read
action-search = Search
action-test = Test connection
action-discover = Read capabilities
action-bulk = Several changes at once
action-other = Other

result-created = Created
result-updated = Updated
result-unchanged = No change
result-deleted = Deleted
result-found = Found
result-nothing-found = Not found
result-refused = Refused
result-failed = Failed
result-unauthenticated = Token refused

explain-created = It did not exist here, so it was created.
explain-updated = Something was different from what Microsoft Entra sent, so it was changed.
explain-deactivated = Microsoft Entra disabled the account, or took it out of scope: it lost access to TimeClock 365 at this moment.
explain-reactivated = Microsoft Entra enabled the account again: it has access to TimeClock 365.
explain-unchanged = Everything was already as Microsoft Entra wants it, so nothing was changed.
explain-deleted = Microsoft Entra asked for it to be deleted, so it was.
explain-found = Microsoft Entra looked, and found it here.
explain-nothing-found = Microsoft Entra looked, and found nothing here. That is usual before it creates somebody.
explain-refused = It could not be done as it was asked, and nothing was changed.
explain-failed = TimeClock 365 could not answer. Microsoft Entra asks again by itself.
explain-unauthenticated = The request carried a token that no longer works, so nothing was read or changed.

fix-unauthenticated = Copy the current token from Settings › Company profile › General. In Microsoft Entra, open Enterprise applications › TimeClock 365 › Provisioning › Admin Credentials, paste it in Secret Token, select Test Connection, then Save.
fix-uniqueness-person = Two people in Microsoft Entra lead to the same userName or externalId. Find the other one on the People page by this userName. In Microsoft Entra, correct the userPrincipalName of the wrong one under Users; or open Provisioning › Mappings › Provision Microsoft Entra ID Users, and check that userName and externalId come from attributes that are different for everybody. Then use Provision on demand to try again at once.
fix-uniqueness-group = Another group has the same displayName or externalId. In Microsoft Entra, rename one of the two under Groups, or take one out of Enterprise applications › TimeClock 365 › Users and groups.
fix-invalid-value = One of the values is of the wrong kind, or missing. The message names the attribute. In Microsoft Entra, open the person under Users and correct it; or open Provisioning › Mappings › Provision Microsoft Entra ID Users, and change the expression of that attribute.
fix-invalid-path = The mapping writes to an attribute that does not exist here. In Microsoft Entra, open Provisioning › Mappings › Provision Microsoft Entra ID Users, find the target attribute that the message names, and correct its spelling or remove the mapping.
fix-mutability = The mapping writes to an attribute that only TimeClock 365 sets. In Microsoft Entra, open Provisioning › Mappings › Provision Microsoft Entra ID Users, and remove that mapping.
fix-invalid-filter = The matching attribute cannot be searched for. In Microsoft Entra, open Provisioning › Mappings › Provision Microsoft Entra ID Users, and match on userName or externalId.
fix-too-large = The request was too large. In Microsoft Entra, open Provisioning › Mappings, and remove attributes that are not needed, pictures above all.
fix-not-found = It had been deleted here, or never existed. Microsoft Entra notices, and creates it again with the next cycle. If it does not: open Provisioning, and select Restart provisioning.
fix-precondition = Somebody else changed it at the same moment. Microsoft Entra asks again by itself: you need not do anything.
fix-too-fast = Too many requests at once. Microsoft Entra slows down and asks again by itself: you need not do anything.
fix-server = This is on our side. Microsoft Entra asks again by itself within 40 minutes. If it happens again, send the ID of this request to our support.
fix-other = Read the message above: it is also in Microsoft Entra under Enterprise applications › TimeClock 365 › Provisioning › Provisioning logs › Troubleshooting & Recommendations. If it does not help, send the ID of this request to our support.

filter-any = Any
filter-notable = Changes and problems
filter-create = Create
filter-update = Update
filter-deactivate = Deactivate
filter-reactivate = Reactivate
filter-delete = Delete
filter-read = Read and search
filter-other = Test and other
filter-changed = Changed
filter-unchanged = No change
filter-found = Read
filter-problem = Failed or refused
filter-hour = Last hour
filter-day = Last 24 hours
filter-week = Last 7 days
filter-month = Last 30 days
filter-all = All that is kept
filter-apply = Apply
filter-clear = Show all
