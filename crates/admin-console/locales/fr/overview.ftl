### La vue d’ensemble, l’état de la connexion, et ce qu’il faut en dire.

overview-lead = Comment Microsoft Entra tient à jour vos utilisateurs et vos groupes.
overview-connect-title = Connecter Microsoft Entra
overview-connect-text = Microsoft Entra crée, met à jour et désactive les comptes de vos utilisateurs à votre place. La connexion prend quelques minutes et demande un administrateur de votre locataire Microsoft Entra.
overview-connect = Commencer
overview-token = Jeton Microsoft Entra
overview-no-token = Aucun jeton
overview-token-link = Gérer le jeton
overview-client-link = Gérer le client

state-healthy = Connecté
state-warning = À surveiller
state-critical = Risque de quarantaine
state-disconnected = N’est plus connecté
state-never-connected = Pas encore connecté
state-unknown = Inconnu

health-title = État de la connexion
health-more = Voir l’activité d’approvisionnement
health-last-call = Dernière requête
health-last-cycle = Dernier cycle
health-checked = { $count ->
    [one] { $count } objet vérifié
   *[other] { $count } objets vérifiés
  }
health-success = Réussite, dernières 24 heures
health-next-cycle = Prochain cycle attendu
health-overdue = En retard
health-running = En cours
per-cent = { $number } %
now = Maintenant
picture = Requêtes des dernières 24 heures : { $calls }, dont { $failures } en échec. Une barre représente une demi-heure.
picture-caption = Requêtes, dernières 24 heures · { $calls ->
    [one] { $calls } requête
   *[other] { $calls } requêtes
  }, { $failures ->
    [one] { $failures } échec
   *[other] { $failures } échecs
  }

size-title = Votre organisation
size-active = { $count ->
    [one] { $count } active
   *[other] { $count } actives
  }
size-counted = Comptées
size-unknown = Pas encore comptées.

cycle-checked = Vérifiés
cycle-created = Créés
cycle-updated = Mis à jour
cycle-deactivated = Désactivés
cycle-unchanged = Inchangés
cycle-failed = Échecs

away-title = Ceci ne peut pas être affiché pour le moment
away-text = Une partie de TimeClock 365 ne répond pas. Rien n’est perdu : les requêtes de Microsoft Entra sont conservées et appliquées. Réessayez dans une minute.
away-again = Réessayer

concern-unauthenticated = Microsoft Entra appelle avec un jeton qui n’est plus valide
concern-unauthenticated-advice = { $count ->
    [one] { $count } requête a été refusée
   *[other] { $count } requêtes ont été refusées
  } depuis le { $since }. Les personnes gardent leur accès, mais les changements n’arrivent plus, et Microsoft Entra met la connexion en quarantaine. Copiez le jeton actuel et collez-le dans Microsoft Entra sous Applications d’entreprise › TimeClock 365 › Approvisionnement › Informations d’identification de l’administrateur › Jeton secret. Sélectionnez ensuite Tester la connexion, puis Enregistrer.
concern-unauthenticated-link = Copier le jeton actuel
concern-silent = Microsoft Entra n’a pas appelé depuis le { $since }
concern-silent-advice = Il appelle d’habitude toutes les 40 minutes environ. Dans Microsoft Entra, ouvrez Applications d’entreprise › TimeClock 365 › Approvisionnement : vérifiez que l’état d’approvisionnement est Activé et si la page parle de quarantaine. Si oui, sélectionnez Redémarrer l’approvisionnement.
concern-silent-link = Vérifier la connexion étape par étape
concern-failure-ratio = { $count } changements sur 100 échouent dans ce cycle
concern-failure-ratio-advice = Ce qui échoue n’arrive pas ici, et Microsoft Entra le réessaie à chaque cycle. À partir de 5 000 échecs, il met une connexion en quarantaine quand plus de { $limit } changements sur 100 échouent, et n’appelle alors plus qu’une fois par jour. Regardez ce qui échoue et corrigez d’abord la cause la plus fréquente.
concern-failure-count = { $count ->
    [one] { $count } échec
   *[other] { $count } échecs
  } dans ce cycle
concern-failure-count-advice = Microsoft Entra met une connexion en quarantaine à { $limit } échecs. Il n’appelle alors plus qu’une fois par jour. Regardez ce qui échoue et corrigez d’abord la cause la plus fréquente.
concern-server-errors = TimeClock 365 n’a pas pu répondre à { $count ->
    [one] { $count } requête
   *[other] { $count } requêtes
  }
concern-server-errors-advice = Cela vient de chez nous, et nos opérateurs sont prévenus. Microsoft Entra réessaie de lui-même : vous n’avez rien à faire.
concern-failures-link = Voir ce qui a échoué

credential-none = Plus aucun jeton ne fonctionne
credential-none-advice = Microsoft Entra ne peut pas joindre TimeClock 365 : les personnes gardent leur accès, mais les changements n’arrivent plus. Créez un nouveau jeton et collez-le dans Microsoft Entra sous Applications d’entreprise › TimeClock 365 › Approvisionnement › Informations d’identification de l’administrateur.
credential-expiring = Le jeton que Microsoft Entra utilise expire { $distance }
credential-expiring-advice = Il prend fin le { $date }, et les changements n’arriveront alors plus. Renouvelez-le maintenant : le jeton actuel continue de fonctionner pendant que vous collez le nouveau.
credential-retiring = Microsoft Entra utilise encore le jeton précédent, qui prend fin { $distance }
credential-retiring-advice = Il prend fin le { $date }. Collez avant cela le nouveau jeton dans Microsoft Entra, sous Applications d’entreprise › TimeClock 365 › Approvisionnement › Informations d’identification de l’administrateur › Jeton secret.
credential-link = Gérer le jeton

cause-invalid = Une valeur n’est pas valide
cause-unauthenticated = Le jeton n’est pas valide
cause-not-found = La personne ou le groupe n’est pas ici
cause-taken = Quelqu’un d’autre porte déjà ce nom
cause-too-many = Trop de requêtes à la fois
cause-ours = TimeClock 365 n’a pas pu répondre
