### L’activité d’approvisionnement : les cycles, le journal, une requête, l’export.

provisioning-lead = Chaque requête de Microsoft Entra pour tenir à jour vos utilisateurs et vos groupes.
export = Exporter en CSV
export-limit = Un export contient au plus { $count } lignes ; choisissez une période plus courte pour les autres.
cycle-running = Cycle en cours
cycle-live = En direct
cycle-started = Démarré
cycle-initial = premier cycle
cycle-rate = { $rate ->
    [one] { $rate } requête par seconde
   *[other] { $rate } requêtes par seconde
  }
cycle-progress = Avancement par rapport au cycle précédent
cycle-of-about = { $count } objets vérifiés sur environ { $size }
cycle-deleted = Supprimés
cycle-none = Pas encore de cycle
cycle-none-text = Microsoft Entra n’a encore rien vérifié ici. Une fois l’approvisionnement activé, il passe toutes les 40 minutes environ.
cycles-title = Cycles passés
cycles-lead = Un cycle est une suite de requêtes sans longue pause. Microsoft Entra en démarre un toutes les 40 minutes environ.
cycles-started = Début
cycles-lasted = Durée
lasted-seconds = { $count ->
    [one] { $count } seconde
   *[other] { $count } secondes
  }
lasted-minutes = { $count ->
    [one] { $count } minute
   *[other] { $count } minutes
  }
causes-title = Pourquoi des requêtes ont échoué
causes-count = Fois
causes-reference = désigne quelqu’un qui n’existe pas ; ne compte pas pour la quarantaine
day-title = Requêtes, dernières 24 heures
day-count = { $calls ->
    [one] { $calls } requête
   *[other] { $calls } requêtes
  }, { $failures ->
    [one] { $failures } échec
   *[other] { $failures } échecs
  }
day-interval = Microsoft Entra vérifie les personnes environ toutes les 40 minutes.
log-title = Journal d’approvisionnement
log-search = Début d’un nom, ou identifiant de requête
log-action = Action
log-result = Résultat
log-period = Période
log-time = Heure
log-whom = Personne ou groupe
log-details = Détails
log-nameless = (sans nom)
log-open = Afficher cette requête
log-none = Aucune requête
log-none-text = Microsoft Entra n’a fait aucune requête pendant cette période.
log-none-found = Aucune requête ne répond à tous les filtres à la fois. Retirez-en un, ou choisissez une période plus longue.
request-title = Requête
request-decision = Ce que nous avons décidé, et pourquoi
request-accepted = Reçue
request-applied = Décidée
request-verb = Nature
request-status = Statut HTTP
request-address = Adresse d’origine
request-credential = Jeton ou client
csv-time = Heure (UTC)
csv-request = Identifiant de requête
csv-message = Message
csv-person = Identifiant de personne
csv-group = Identifiant de groupe
csv-changes = Changements
csv-access-removed = Accès retiré après (ms)
csv-redacted = modifié, non enregistré
