### Signing in, accounts and administrators.

email = Adresse e-mail
password = Mot de passe
current-password = Mot de passe actuel
new-password = Nouveau mot de passe
password-hint = Au moins 12 caractères. Quelques mots sans lien entre eux sont faciles à retenir et difficiles à deviner.
your-name = Votre nom
language = Langue
save = Enregistrer
role = Rôle
role-administrator = Administrateur
role-administrator-hint = Peut tout voir et tout modifier.
role-auditor = Auditeur
role-auditor-hint = Peut voir tout ce qui n’est pas secret, sans rien modifier.

sign-in-title = Connexion
sign-in-lead = Pour les administrateurs des entreprises qui utilisent TimeClock 365.
sign-in-do = Se connecter
sign-in-help = Pas de compte ? Un administrateur de votre entreprise peut vous inviter. Mot de passe oublié ? Demandez à un autre administrateur de vous supprimer et de vous inviter à nouveau ; s’il n’y en a pas, contactez notre assistance.
sign-in-wrong = L’adresse e-mail ou le mot de passe est incorrect.
throttled-seconds = Il y a eu trop de tentatives. Réessayez dans { $count ->
    [one] { $count } seconde
   *[other] { $count } secondes
  }.
throttled-minutes = Il y a eu trop de tentatives. Réessayez dans { $count ->
    [one] { $count } minute
   *[other] { $count } minutes
  }.
confirm-title = Confirmez que c’est bien vous
confirm-lead = Ce que vous vous apprêtez à voir ou à faire est protégé. Saisissez encore une fois votre mot de passe.
confirm-do = Continuer
confirm-wrong = Le mot de passe est incorrect.

invitation-title = Accepter votre invitation
invitation-lead = Vous êtes invité à administrer { $company } dans TimeClock 365. Vous vous connecterez avec { $email }.
invitation-do = Accepter et se connecter
invitation-gone-title = Cette invitation n’est plus valable
invitation-gone-text = Elle a été utilisée, elle a expiré ou une plus récente a été envoyée. Si vous l’avez déjà acceptée, connectez-vous ; sinon, demandez-en une nouvelle à la personne qui vous a invité.
invitation-name = Indiquez un nom de 1 à 100 caractères.
password-short = Le mot de passe doit comporter au moins 12 caractères.
password-long = Le mot de passe peut comporter au plus 200 caractères.
password-guessable = Le mot de passe ne doit contenir ni votre adresse e-mail ni le nom de votre entreprise.
password-common = C’est l’un des premiers que l’on essaie. Choisissez-en un autre.

administrators-lead = Qui peut se connecter à ces pages pour votre entreprise.
administrator = Nom
last-signed-in = Dernière connexion
actions = Actions
you = Vous
invited = Invité
invitation-ends = expire
make-auditor = Rendre auditeur
make-administrator = Rendre administrateur
remove = Supprimer
remove-title = Supprimer { $email } ?
remove-text = Cette personne est aussitôt déconnectée partout et ne peut plus se connecter. Ce qu’elle a fait reste dans le journal d’audit. Vous pouvez l’inviter à nouveau.
sign-out-everywhere = Déconnecter partout
invite = Inviter quelqu’un
invite-text = La personne reçoit un lien, valable sept jours, avec lequel elle choisit un nom et un mot de passe.
invite-do = Envoyer l’invitation
invited-title = { $email } est invité
invited-mailed = Le lien ci-dessous a aussi été envoyé par e-mail.
invited-not-mailed = Aucun e-mail n’a été envoyé. Transmettez vous-même le lien ci-dessous, à l’abri des regards.
invited-link = Lien d’invitation
invited-once = Il n’est affiché que maintenant. Quiconque le possède peut devenir cet administrateur.
done-role = Le rôle a été modifié.
done-removed = La personne a été supprimée.
done-signed-out = La personne est déconnectée partout.
refused-email = Indiquez une adresse e-mail, par exemple anna@example.com.
refused-taken = Quelqu’un se connecte déjà avec cette adresse.
refused-many = Votre entreprise a déjà autant d’administrateurs que possible. Supprimez-en un d’abord.
refused-unknown = Cet administrateur n’existe plus.
refused-last = C’est le dernier administrateur. Nommez d’abord quelqu’un d’autre administrateur.

account-title = Votre compte
account-profile = À votre sujet
account-notices = Avis par e-mail
account-notices-text = Avant l’expiration du jeton ou du secret pour Entra, et lorsque l’approvisionnement risque de s’interrompre ou fonctionne à nouveau.
account-notices-wanted = M’envoyer les avis
account-no-mail = Cette installation n’envoie pas d’e-mail ; il n’y en aura donc pas.
account-password = Changer de mot de passe
account-password-do = Changer de mot de passe
account-sessions = Où vous êtes connecté
account-sessions-text = Si vous n’en reconnaissez pas une, déconnectez-la et changez de mot de passe.
browser = Navigateur
address = Adresse
last-seen = Vu
this-browser = Ce navigateur
sign-out-others = Se déconnecter partout ailleurs
done-profile = Enregistré.
done-password = Votre mot de passe a été changé et vous avez été déconnecté partout ailleurs.
done-session = Ce navigateur est déconnecté.
done-others = Vous êtes déconnecté partout ailleurs.
account-password-wrong = Le mot de passe actuel est incorrect.
