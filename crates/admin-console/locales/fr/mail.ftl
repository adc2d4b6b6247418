### Mails to administrators.

mail-invitation-subject = Vous êtes invité à administrer { $company } dans TimeClock 365
mail-invitation-text = Vous êtes invité à administrer { $company } dans TimeClock 365. Vous vous connecterez avec { $email }.
mail-invitation-ends = Le lien ci-dessous peut être utilisé une fois, dans les sept jours. Quiconque le possède peut devenir cet administrateur : ne transférez pas cet e-mail.
mail-invitation-link = Accepter l’invitation
