### Settings > Company profile > General, with the tutorial's own words.

tab-general = General
company-title = Company details
company-lead = Your people see this name. Our support asks for the ID.
company-name = Company name
company-id = Company ID
azure-title = Azure user synchronization
azure-lead = Let Microsoft Entra ID create, update and deactivate TimeClock 365 accounts for you. Paste the two values below in the Microsoft Entra admin center, under Provisioning › Admin Credentials.
azure-guide = Connection guide
tenant-url = Tenant URL
copy-tenant-url = Copy the tenant URL
entra-token = Microsoft Entra token
token-none = There is no token yet. Microsoft Entra needs one to be let in.
token-generate = Generate token
token-show = Show
show-token = Show the Microsoft Entra token
token-hide = Hide
copy-token = Copy the Microsoft Entra token
token-hint = Treat this token like a password: whoever has it can change every account of your company. Showing and copying it is written to the audit log.
token-created = Created
token-by = by { $who }
token-used = Last used
token-from = from { $address }
token-expires = Expires
token-end = Ends
token-refused-calls = { $count ->
    [one] { $count } request refused since
   *[other] { $count } requests refused since
  }
token-ended = Tokens that have ended
lifetime = Works for
lifetime-years = { $count ->
    [one] { $count } year
   *[other] { $count } years
  }
token-rotate = Rotate token…
token-revoke = Revoke…

rotate-title = Rotate the Microsoft Entra token
rotate-text = A new token is created now. Microsoft Entra keeps using the current one until you paste the new one there, so choose for how long both work. Nobody in your company notices anything.
rotate-legend = The current token
rotate-week = Keep it for 7 days
rotate-week-hint = Recommended. There is time to paste the new token without missing a cycle; you can retire the old one earlier.
rotate-day = Keep it for 24 hours
rotate-hour = Keep it for 1 hour
rotate-now = Stop it now
rotate-now-hint = Changes in Microsoft Entra do not arrive until you have pasted the new token. Choose this if the token may have leaked.
rotate-lifetime = The new token works for
rotate-do = Create new token

revoke-title = Revoke the Microsoft Entra token?
revoke-text = Within seconds, every request of Microsoft Entra is refused. Changes there do not arrive here any more, and Microsoft Entra puts the connection in quarantine. This cannot be undone.
revoke-people = { $count ->
    [one] { $count } active person keeps their access, also when they leave the company, until a new token is connected.
   *[other] { $count } active people keep their access, also those who leave the company, until a new token is connected.
  }
revoke-instead = To replace the token without a gap, rotate it instead.
revoke-do = Revoke token

older-moved = Microsoft Entra has used the new token { $count ->
    [one] { $count } time
   *[other] { $count } times
  }: retire the old one?
older-moved-text = The old token is not needed any more. Retired, it lets nobody in.
older-waiting = The old token still works, and Microsoft Entra has not used the new one yet
older-waiting-text = Copy the new token above, paste it in Microsoft Entra under Provisioning › Admin Credentials › Secret Token, select Test Connection, then Save.
older-tried = The new token was tried, but Microsoft Entra does not work with it: did you select Save?
older-tried-text = Test Connection alone changes nothing: Microsoft Entra keeps the old token until you select Save there. If you have saved, this changes with the next cycle that has something to do; let the old token work until then.
older-token = Old token
older-retire = Retire the old token…
older-retire-anyway = Stop the old token now…
retire-title = Retire the old token?
retire-text = Microsoft Entra works with the new token, so nothing changes for your people. Whoever else calls with the old one is refused within seconds. This cannot be undone.
retire-do = Retire the old token
retire-early-title = Stop the old token before Microsoft Entra works with the new one?
retire-early-text = Unless the new token is saved in Microsoft Entra, every request is refused within seconds. Changes there do not arrive here any more, and Microsoft Entra puts the connection in quarantine. This cannot be undone.
retire-early-people = { $count ->
    [one] { $count } active person then keeps their access, also when they leave the company, until the new token is saved there.
   *[other] { $count } active people then keep their access, also those who leave the company, until the new token is saved there.
  }
retire-early-do = Stop the old token

done-issued = A new token is ready: copy it, and paste it in Microsoft Entra
done-rotated = A new token is ready: copy it, and paste it in Microsoft Entra before the old one ends
done-revoked = The token is revoked
done-retired = The old token is retired
done-client-revoked = The client is revoked
done-secret-revoked = The client secret is revoked
not-done-refused = This could not be done
not-done-away = This was not done: a part of TimeClock 365 does not answer. Try again in a minute.

clients-title = Credential type
clients-lead = The secret token above is the default, and right for the application in Microsoft Entra’s gallery. If your Microsoft Entra asks for OAuth 2.0 client credentials or workload identity federation instead, set it up here. Several credentials can work side by side.
client-nameless = OAuth client
client-kind = Credential type
client-credentials = OAuth 2.0 client credentials
client-federation = Workload identity federation
client-id = Client identifier
client-endpoint = Token endpoint
client-secret = Client secret
client-secrets = Client secrets
client-issuer = Issuer
client-subject = Subject
client-subject-hint = The object ID of the service principal that provisions, from its assertion’s claim “sub”.
client-audiences = Audiences
client-audiences-hint = One a line, at most five, exactly as in the assertion’s claim “aud”: for example api:// and the application ID.
client-tenant = Microsoft Entra tenant ID
client-tenant-hint = On the overview page of the Microsoft Entra admin center.
client-description = Description
client-create = Create
client-new-secret = Set up OAuth 2.0 client credentials
client-new-secret-text = Creates a client identifier and a client secret. The secret is shown once, and you can add another before it ends.
client-new-federation = Set up workload identity federation
client-new-federation-text = Microsoft Entra proves itself with assertions that it signs: there is no secret that could leak or expire.
client-add-secret = Add secret
client-no-secrets = No secret works. Add one.
client-revoke-secret = Revoke…
client-revoke-secret-named = Revoke the secret that ends in { $hint }
client-revoke-secret-title = Revoke the secret that ends in { $hint }?
client-revoke-secret-text = If Microsoft Entra uses this secret, it gets no new access token with it: within an hour every request is refused, changes there do not arrive any more, and Microsoft Entra puts the connection in quarantine. Enter another secret there first. This cannot be undone.
client-revoke-last-secret-text = It is the last secret of this client. Microsoft Entra gets no new access token without one: within an hour every request is refused, changes there do not arrive any more, and Microsoft Entra puts the connection in quarantine. Add another secret and enter it there first. This cannot be undone.
client-revoke-secret-do = Revoke secret
client-revoke = Revoke client…
client-revoke-title = Revoke this client?
client-revoke-text = Its secrets and every access token that it got stop working within seconds. If Microsoft Entra uses it, changes there do not arrive any more. This cannot be undone.
client-revoke-do = Revoke client
told-title = New client
told-once = Copy the secret now: it is not kept, and is not shown again.
told-federation = Enter these values in Microsoft Entra.
