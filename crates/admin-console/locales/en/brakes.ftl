### Mass removals: many people removed at once, and what is decided about it.

concern-removals = { $lost ->
    [0] Microsoft Entra deleted { $count } people who had no access any more within { $minutes ->
        [one] { $minutes } minute
       *[other] { $minutes } minutes
      }
   *[other] Microsoft Entra removed { $lost } of { $limit } people within { $minutes ->
        [one] { $minutes } minute
       *[other] { $minutes } minutes
      }
  }
concern-removals-advice = Their access has ended; nobody has been deleted for good, but groups that were deleted are gone. Look who it was, and either bring all of them back or say that they really left.
concern-removals-link = See who was removed

brakes-title = Mass removals
brakes-lead = When Microsoft Entra removes many people at once, their access ends at once, as it must. What could not be undone waits for you.
brakes-none = No mass removal
brakes-none-text = If Microsoft Entra ever removes many people at once, by mistake or on purpose, you decide here.
brakes-began = First removal
brakes-people = People
brakes-removed = { $count } ({ $lost } of { $people } with access)
brakes-state = State
brakes-decided = Decided
brakes-rule-title = When is it a mass removal?
brakes-rule-text = When Microsoft Entra disables or deletes more than { $count ->
    [one] { $count } person
   *[other] { $count } people
  }, and more than { $percent } % of those who have access, within an hour, unless whoever runs TimeClock 365 has set another time.
brakes-rule-people = More than (people)
brakes-rule-percent = And more than (per cent)
brakes-rule-hint = Both have to be exceeded. Access ends at once in any case.
brakes-rule-do = Save
brakes-rule-done = The rule is saved and holds from the next removal on.
brakes-rule-refused = The rule was not saved. Enter 1 to 50,000 people and 1 to 100 per cent.

brake-state-on = Waits for you
brake-state-undoing = People come back
brake-state-undone = Undone
brake-state-released = They really left
brake-state-expired = Not decided in time

brake-title = Mass removal
brake-what = Microsoft Entra removed { $count ->
    [one] { $count } person
   *[other] { $count } people
  } within { $minutes ->
    [one] { $minutes } minute
   *[other] { $minutes } minutes
  }. Of { $people } who had access, { $lost } lost it.
brake-on-text = Their access ended at once. Nobody has been deleted for good: you can bring all of them back. Groups that were deleted are gone.
brake-on-until = If nobody decides, those who were deleted are deleted for good on
brake-undoing-text = { $restored } came back so far, { $count } are on their way. You can leave this page.
brake-undone-text = Nobody of them is waiting any more.
brake-released-text = These people really left. What was kept of those who were deleted has been destroyed.
brake-expired-text = Nobody decided in time. What was kept of those who were deleted has been destroyed.
brake-last = Last removal
brake-restored = Brought back
brake-returned = Given access again by Microsoft Entra
brake-superseded = Created anew by Microsoft Entra
brake-superseded-hint = They keep their new account; the old one was not brought back.
brake-not-held = Deleted for good
brake-not-held-hint = No more than 100,000 people are kept at once; these were deleted beyond that.
brake-cycles = See the cycles of that time
brake-who = { $count ->
    [one] { $count } person
   *[other] { $count } people
  } without access
brake-how = What happened
brake-when = When
brake-deleted = Deleted
brake-disabled = Disabled
brake-groups = was in { $count ->
    [one] { $count } group
   *[other] { $count } groups
  }
brake-undo = Undo all
brake-release = They really left
brake-decided-otherwise = It was decided otherwise in the meantime. Nothing was changed.
brake-grown = Microsoft Entra has removed { $count ->
    [one] { $count } more person
   *[other] { $count } more people
  } since you opened this page. Nothing was changed: look who it is, and decide again.

undo-title = Bring { $count ->
    [one] { $count } person
   *[other] { $count } people
  } back?
undo-text = Whoever had access gets it back. Those who were deleted ({ $deleted }) come back with everything that was known of them, and to those of their groups that still exist. A group that was deleted does not come back; Microsoft Entra creates it anew, with its members, in its next cycle. Whoever Microsoft Entra has created anew in the meantime keeps the new account. Whoever really left meanwhile gets access too: disable them again in Microsoft Entra, or restart provisioning there.
undo-first = Stop provisioning in Microsoft Entra first, and wait until it shows that the current cycle has finished: until then it may still remove people. Undo, wait until everybody is back, then correct the cause there, the scope or the assignments of TimeClock 365, and start provisioning again. While it runs, Microsoft Entra may remove the same people again, or create those anew who were deleted, and then the old accounts do not come back.
release-title = { $count ->
    [one] { $count } person
   *[other] { $count } people
  } really left?
release-text = They stay without access. What is kept of those who were deleted ({ $deleted }) is destroyed now, and nobody can bring them back.

action-restore = Bring person back
explain-restored = A mass removal was undone: this person is back.
filter-restore = Bring back
fix-superseded = Nothing is to be done: the person works with the new account.

notice-removals-subject = { $company }: many people were removed
notice-removals-text = Microsoft Entra has disabled or deleted an unusual number of people of { $company }. Whoever had access has lost it; nobody has been deleted for good, but groups that were deleted are gone. Open the console, look who it was, and either bring all of them back or say that they really left.

act-brake-undone = { $actor } had a mass removal undone ({ $target })
act-brake-released = { $actor } said of a mass removal that these people really left ({ $target })
act-brake-rule-set = { $actor } changed when a removal is a mass removal
