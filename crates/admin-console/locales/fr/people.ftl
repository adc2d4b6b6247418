### Les personnes, les groupes, et ce qui est arrivé à l’un d’eux.

people-lead = Ces comptes appartiennent à Microsoft Entra et sont ici en lecture seule. Pour en modifier un, modifiez-le dans Microsoft Entra : le changement arrive avec le cycle suivant.
people-search = Début d’un nom, d’une adresse ou d’un numéro d’employé, ou identifiant
people-state = État
people-active = Actif
people-inactive = Désactivé
people-name = Nom
people-changed = Dernière modification
people-none = Personne pour le moment
people-none-text = Dès que Microsoft Entra crée quelqu’un, cette personne apparaît ici.
people-none-found = Aucune personne trouvée
people-none-found-text = Cherchez le début d’un nom, d’un prénom, d’un nom d’utilisateur, d’une adresse ou d’un numéro d’employé, ou un identifiant entier.

person-lead = Lecture seule : ce compte appartient à Microsoft Entra.
person-signed-out = Toutes les sessions de cette personne ont pris fin. Pour lui fermer l’accès, désactivez-la dans Microsoft Entra.
person-attributes = Attributs
person-facts = En bref
person-created = Création
person-manager = Responsable
person-id = Identifiant
person-no-groups = Dans aucun groupe.
person-more-groups = Et { $count } de plus.
person-deleted = Ce compte a été supprimé
person-deleted-text = Ce qui suit est arrivé tant qu’il existait.
attribute-value = Valeur

groups-lead = Ces groupes appartiennent à Microsoft Entra et sont ici en lecture seule.
groups-search = Début du nom, ou identifiant
groups-none = Pas encore de groupes
groups-none-text = Affectez un groupe à l’application dans Microsoft Entra et activez son mappage ; il apparaît ici avec le cycle suivant.
groups-none-found = Aucun groupe trouvé
groups-none-found-text = Cherchez le début d’un nom, ou un identifiant entier. Les mots au milieu du nom ne sont pas cherchés.
group-lead = Lecture seule : ce groupe appartient à Microsoft Entra.
group-members = Membres
group-no-members = Personne n’en est membre.
group-member-kind = Nature
group-member-person = Personne
group-member-group = Groupe
group-deleted = Ce groupe a été supprimé

story-title = Ce qui s’est passé
story-lead = Chaque requête de Microsoft Entra à ce sujet, de la plus récente à la plus ancienne : ce que nous avons décidé, et pourquoi.
story-empty = Rien n’est enregistré.
show-more = Afficher la suite
show-older = Afficher les entrées plus anciennes

told-entra = Réponse donnée à Microsoft Entra :
how-to-fix = Comment corriger
changes-caption = Ce qui a changé
changes-attribute = Attribut
changes-before = Avant
changes-after = Après
changes-nothing = aucune valeur
changes-redacted = Modifié. La valeur est personnelle et n’a pas été enregistrée.
access-removed = { $sessions ->
    [0] Accès retiré ; aucune session n’était ouverte.
    [one] Accès retiré ({ $sessions } session terminée).
   *[other] Accès retiré ({ $sessions } sessions terminées).
  }
access-removed-milliseconds = { $sessions ->
    [0] Accès retiré après { $time } ms ; aucune session n’était ouverte.
    [one] Accès retiré après { $time } ms ({ $sessions } session terminée).
   *[other] Accès retiré après { $time } ms ({ $sessions } sessions terminées).
  }
access-removed-seconds = { $sessions ->
    [0] Accès retiré après { $time } s ; aucune session n’était ouverte.
    [one] Accès retiré après { $time } s ({ $sessions } session terminée).
   *[other] Accès retiré après { $time } s ({ $sessions } sessions terminées).
  }
receipt-download = Télécharger le reçu
receipt-what = Signé par TimeClock 365 : qui a perdu l’accès, quand cela a été demandé et quand l’accès a pris fin. Un auditeur peut le vérifier sans nous interroger.
members-added = { $count ->
    [one] { $count } membre est arrivé.
   *[other] { $count } membres sont arrivés.
  }
members-removed = { $count ->
    [one] { $count } membre est parti.
   *[other] { $count } membres sont partis.
  }

action-create-person = Création de personne
action-create-group = Création de groupe
action-update-person = Mise à jour de personne
action-update-group = Mise à jour de groupe
action-add-members = Ajout de { $added ->
    [one] { $added } membre
   *[other] { $added } membres
  }
action-remove-members = Retrait de { $removed ->
    [one] { $removed } membre
   *[other] { $removed } membres
  }
action-deactivate = Désactivation de personne
action-reactivate = Réactivation de personne
action-delete-person = Suppression de personne
action-delete-group = Suppression de groupe
action-read = Lecture
action-search = Recherche
action-test = Test de connexion
action-discover = Lecture des capacités
action-bulk = Plusieurs changements à la fois
action-other = Autre

result-created = Création faite
result-updated = Mise à jour faite
result-unchanged = Sans changement
result-deleted = Suppression faite
result-found = Trouvé
result-nothing-found = Introuvable
result-refused = Refus
result-failed = Échec
result-unauthenticated = Jeton refusé

explain-created = Cela n’existait pas ici et a donc été créé.
explain-updated = Quelque chose différait de ce que Microsoft Entra a envoyé et a donc été modifié.
explain-deactivated = Microsoft Entra a désactivé le compte, ou l’a sorti de l’étendue : il a perdu l’accès à TimeClock 365 à ce moment.
explain-reactivated = Microsoft Entra a réactivé le compte : il a accès à TimeClock 365.
explain-unchanged = Tout était déjà comme Microsoft Entra le veut, donc rien n’a été modifié.
explain-deleted = Microsoft Entra en a demandé la suppression, qui a été faite.
explain-found = Microsoft Entra a cherché, et l’a trouvé ici.
explain-nothing-found = Microsoft Entra a cherché, et n’a rien trouvé ici. C’est habituel avant une création.
explain-refused = Cela ne pouvait pas être fait comme demandé, et rien n’a été modifié.
explain-failed = TimeClock 365 n’a pas pu répondre. Microsoft Entra redemande de lui-même.
explain-unauthenticated = La requête portait un jeton qui ne fonctionne plus, donc rien n’a été lu ni modifié.

fix-unauthenticated = Copiez le jeton actuel depuis Paramètres › Profil de l’entreprise › Général. Dans Microsoft Entra, ouvrez Applications d’entreprise › TimeClock 365 › Approvisionnement › Informations d’identification de l’administrateur, collez-le dans Jeton secret, sélectionnez Tester la connexion, puis Enregistrer.
fix-uniqueness-person = Deux personnes dans Microsoft Entra mènent au même userName ou externalId. Trouvez l’autre sur la page Personnes avec ce userName. Dans Microsoft Entra, corrigez le userPrincipalName de la mauvaise sous Utilisateurs ; ou ouvrez Approvisionnement › Mappages › Provision Microsoft Entra ID Users, et vérifiez que userName et externalId viennent d’attributs différents pour chacun. Utilisez ensuite Approvisionner à la demande pour réessayer aussitôt.
fix-uniqueness-group = Un autre groupe a le même displayName ou externalId. Dans Microsoft Entra, renommez l’un des deux sous Groupes, ou retirez-en un de Applications d’entreprise › TimeClock 365 › Utilisateurs et groupes.
fix-invalid-value = Une des valeurs n’est pas du bon type, ou manque. Le message nomme l’attribut. Dans Microsoft Entra, ouvrez la personne sous Utilisateurs et corrigez-la ; ou ouvrez Approvisionnement › Mappages › Provision Microsoft Entra ID Users, et changez l’expression de cet attribut.
fix-invalid-path = Le mappage écrit dans un attribut qui n’existe pas ici. Dans Microsoft Entra, ouvrez Approvisionnement › Mappages › Provision Microsoft Entra ID Users, trouvez l’attribut cible que le message nomme, et corrigez son orthographe ou supprimez le mappage.
fix-mutability = Le mappage écrit dans un attribut que seul TimeClock 365 fixe. Dans Microsoft Entra, ouvrez Approvisionnement › Mappages › Provision Microsoft Entra ID Users, et supprimez ce mappage.
fix-invalid-filter = L’attribut de correspondance ne peut pas être cherché. Dans Microsoft Entra, ouvrez Approvisionnement › Mappages › Provision Microsoft Entra ID Users, et faites correspondre userName ou externalId.
fix-too-large = La requête était trop grande. Dans Microsoft Entra, ouvrez Approvisionnement › Mappages, et supprimez les attributs inutiles, surtout les images.
fix-not-found = Cela a été supprimé ici, ou n’a jamais existé. Microsoft Entra le remarque et le recrée au cycle suivant. Sinon, ouvrez Approvisionnement et sélectionnez Redémarrer l’approvisionnement.
fix-precondition = Quelqu’un d’autre l’a modifié au même moment. Microsoft Entra redemande de lui-même : vous n’avez rien à faire.
fix-too-fast = Trop de requêtes à la fois. Microsoft Entra ralentit et redemande de lui-même : vous n’avez rien à faire.
fix-server = Cela vient de chez nous. Microsoft Entra redemande de lui-même dans les 40 minutes. Si cela se répète, envoyez l’identifiant de cette requête à notre assistance.
fix-other = Lisez le message ci-dessus : il est aussi dans Microsoft Entra sous Applications d’entreprise › TimeClock 365 › Approvisionnement › Journaux d’approvisionnement › Dépannage et recommandations. S’il n’aide pas, envoyez l’identifiant de cette requête à notre assistance.

filter-any = Tout
filter-notable = Changements et problèmes
filter-create = Création
filter-update = Mise à jour
filter-deactivate = Désactivation
filter-reactivate = Réactivation
filter-delete = Suppression
filter-read = Lecture et recherche
filter-other = Test et autres
filter-changed = Avec changement
filter-unchanged = Sans changement
filter-found = Lecture
filter-problem = Échec ou refus
filter-hour = Dernière heure
filter-day = Dernières 24 heures
filter-week = 7 derniers jours
filter-month = 30 derniers jours
filter-all = Tout ce qui est conservé
filter-apply = Appliquer
filter-clear = Tout afficher
