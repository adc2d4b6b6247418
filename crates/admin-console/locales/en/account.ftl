### Signing in, accounts and administrators.

email = E-mail address
password = Password
current-password = Current password
new-password = New password
password-hint = At least 12 characters. A few words that do not belong together are easy to remember and hard to guess.
your-name = Your name
language = Language
save = Save
role = Role
role-administrator = Administrator
role-administrator-hint = May see and change everything.
role-auditor = Auditor
role-auditor-hint = May see everything that is no secret, and change nothing.

sign-in-title = Sign in
sign-in-lead = For administrators of companies that use TimeClock 365.
sign-in-do = Sign in
sign-in-help = No account? One of your company’s administrators can invite you. Forgotten your password? Ask another administrator to remove and invite you again; if there is none, ask our support.
sign-in-wrong = The e-mail address or the password is wrong.
throttled-seconds = There were too many attempts. Try again in { $count ->
    [one] { $count } second
   *[other] { $count } seconds
  }.
throttled-minutes = There were too many attempts. Try again in { $count ->
    [one] { $count } minute
   *[other] { $count } minutes
  }.
confirm-title = Confirm that it is you
confirm-lead = What you are about to see or do is protected. Give your password once more.
confirm-do = Continue
confirm-wrong = The password is wrong.

invitation-title = Accept your invitation
invitation-lead = You have been invited to look after { $company } in TimeClock 365. You will sign in as { $email }.
invitation-do = Accept and sign in
invitation-gone-title = This invitation is not good any more
invitation-gone-text = It has been used, it has expired, or a newer one has been sent. If you have accepted it already, sign in; otherwise ask whoever invited you for a new one.
invitation-name = Give a name of 1 to 100 characters.
password-short = The password needs at least 12 characters.
password-long = The password may have at most 200 characters.
password-guessable = The password must not contain your e-mail address or your company’s name.
password-common = Everybody who guesses passwords tries this one first. Choose another.

administrators-lead = Who may sign in to these pages for your company.
administrator = Name
last-signed-in = Last signed in
actions = Actions
you = You
invited = Invited
invitation-ends = ends
make-auditor = Make auditor
make-administrator = Make administrator
remove = Remove
remove-title = Remove { $email }?
remove-text = They are signed out everywhere at once and cannot sign in any more. What they did stays in the audit log. You can invite them again.
sign-out-everywhere = Sign out everywhere
invite = Invite somebody
invite-text = They get a link, good for seven days, with which they choose a name and a password.
invite-do = Send invitation
invited-title = { $email } is invited
invited-mailed = The link below was also sent by mail.
invited-not-mailed = No mail was sent. Send the link below yourself, so that nobody else sees it.
invited-link = Invitation link
invited-once = It is shown only now. Whoever has it can become this administrator.
done-role = The role was changed.
done-removed = They were removed.
done-signed-out = They are signed out everywhere.
refused-email = Give an e-mail address, such as anna@example.com.
refused-taken = Somebody signs in with this address already.
refused-many = Your company has as many administrators as it may have. Remove one first.
refused-unknown = There is no such administrator any more.
refused-last = This is the last administrator. Make somebody else an administrator first.

account-title = Your account
account-profile = About you
account-notices = Notices by mail
account-notices-text = Before the credential for Entra expires, and when provisioning is about to break or works again.
account-notices-wanted = Send me notices
account-no-mail = This installation sends no mail, so there will be none.
account-password = Change password
account-password-do = Change password
account-sessions = Where you are signed in
account-sessions-text = If you do not recognise one of these, sign it out and change your password.
browser = Browser
address = Address
last-seen = Last seen
this-browser = This browser
sign-out-others = Sign out everywhere else
done-profile = Saved.
done-password = Your password was changed, and you were signed out everywhere else.
done-session = That browser is signed out.
done-others = You are signed out everywhere else.
account-password-wrong = The current password is wrong.
