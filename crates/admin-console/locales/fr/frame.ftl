### Ce qui entoure chaque page, et les mots que plusieurs pages utilisent.

skip-to-content = Aller au contenu
menu = Menu
navigation = Navigation principale
banner = Demande votre attention
nav-overview = Vue d’ensemble
nav-people = Personnes
nav-groups = Groupes
nav-provisioning = Activité d’approvisionnement
nav-settings = Paramètres
nav-company = Profil de l’entreprise
nav-administrators = Administrateurs
nav-audit = Journal d’audit
sign-out = Se déconnecter
copied = Copié dans le presse-papiers
not-copied = Votre navigateur n’a pas permis la copie. Sélectionnez le texte et copiez-le vous-même.
times-are-in = Heures en { $zone }.

copy = Copier
cancel = Annuler
never = Jamais
none = Aucun
unknown = Inconnu
breadcrumb = Vous êtes ici
confirmed = Vous avez confirmé votre identité
confirmed-text = Rien n’a encore été fait : sélectionnez le bouton une nouvelle fois.

ago-moment = à l’instant
ago-minutes = { $count ->
    [one] il y a { $count } minute
   *[other] il y a { $count } minutes
  }
ago-hours = { $count ->
    [one] il y a { $count } heure
   *[other] il y a { $count } heures
  }
ago-days = { $count ->
    [one] hier
   *[other] il y a { $count } jours
  }
in-moment = dans un instant
in-minutes = { $count ->
    [one] dans { $count } minute
   *[other] dans { $count } minutes
  }
in-hours = { $count ->
    [one] dans { $count } heure
   *[other] dans { $count } heures
  }
in-days = { $count ->
    [one] demain
   *[other] dans { $count } jours
  }

not-found-title = Cette page n’existe pas
not-found-text = L’adresse est peut-être mal saisie, ou ce qu’elle montrait a été supprimé depuis.
not-found-back = Aller à la vue d’ensemble
