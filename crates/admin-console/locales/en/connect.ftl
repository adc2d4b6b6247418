### The steps of connecting, in the words of Microsoft's tutorial.

connect-title = Connect Microsoft Entra
connect-lead = Keep this page open beside the Microsoft Entra admin center: it notices by itself what arrives.
connect-progress = { $done } of { $all } steps done
step-done = Done
step-add = Add the application
step-add-text = In the Microsoft Entra admin center, open Enterprise applications › New application, search for TimeClock 365, and select Create.
step-copy = Copy the two values
step-copy-text = In the application, open Provisioning, set Provisioning Mode to Automatic, and paste these under Admin Credentials: the first in Tenant URL, the second in Secret Token.
copy-client-endpoint = Copy the token endpoint
copy-client-id = Copy the client identifier
step-client-secret = The client secret was shown once; add another if nobody has kept it.
step-test = Test the connection
step-test-text = Select Test Connection, then Save.
test-received = Test connection received
test-awaited = Waiting for the test from Microsoft Entra…
test-help = Nothing happens? Check that the Tenant URL is exactly the one above, with /scim at the end, and that the Secret Token has no space before or behind it.
step-refused = { $count ->
    [one] { $count } request came with a token that does not work any more. Copy the current one again.
   *[other] { $count } requests came with a token that does not work any more. Copy the current one again.
  }
step-map = Look over the mappings
step-map-text = Under Mappings, select Provision Microsoft Entra ID Users (in the tutorial: Synchronize Microsoft Entra users to TimeClock 365). The attributes there are right as they are. Enter a Notification Email, to hear from Microsoft Entra when something fails.
step-scope = Choose who is included
step-scope-text = Under Users and groups, assign a few people or one group first; you can add everybody later. Under Settings, leave Scope at “Sync only assigned users and groups”.
step-start = Start provisioning
step-start-text = Set Provisioning Status to On, and select Save. The first cycle begins within minutes, and takes longer than those after, which come about every 40 minutes. In a hurry: select Provision on demand, and choose one person.
person-received = First person received
person-awaited = Waiting for the first person…
person-help = Nobody after ten minutes? Check that somebody is assigned under Users and groups, and that Provisioning Status is On. Groups within groups are not followed. Provision on demand shows at once what is in the way.
step-groups = Groups, if you want them
step-groups-text = Under Mappings, set Provision Microsoft Entra ID Groups to Enabled, and assign groups. This step is optional.
group-received = First group received
group-awaited = No group yet…
group-help = Groups come after the people who are in them, with the same or the next cycle.
