### Les étapes de la connexion, avec les mots du tutoriel de Microsoft.

connect-title = Connecter Microsoft Entra
connect-lead = Gardez cette page ouverte à côté du centre d’administration Microsoft Entra : elle remarque d’elle-même ce qui arrive.
connect-progress = { $done } étapes faites sur { $all }
step-done = Fait
step-add = Ajouter l’application
step-add-text = Dans le centre d’administration Microsoft Entra, ouvrez Applications d’entreprise › Nouvelle application, cherchez TimeClock 365, et sélectionnez Créer.
step-copy = Copier les deux valeurs
step-copy-text = Dans l’application, ouvrez Approvisionnement, réglez le mode d’approvisionnement sur Automatique, et collez ces valeurs sous Informations d’identification de l’administrateur : la première dans URL de locataire, la seconde dans Jeton secret.
copy-client-endpoint = Copier le point de terminaison de jeton
copy-client-id = Copier l’identifiant du client
step-client-secret = Le secret du client a été affiché une fois ; ajoutez-en un autre si personne ne l’a gardé.
step-test = Tester la connexion
step-test-text = Sélectionnez Tester la connexion, puis Enregistrer.
test-received = Test de connexion reçu
test-awaited = En attente du test de Microsoft Entra…
test-help = Rien ne se passe ? Vérifiez que l’URL de locataire est exactement celle ci-dessus, avec /scim à la fin, et que le jeton secret n’a pas d’espace avant ou après.
step-refused = { $count ->
    [one] { $count } requête est venue avec un jeton qui ne fonctionne plus. Copiez de nouveau le jeton actuel.
   *[other] { $count } requêtes sont venues avec un jeton qui ne fonctionne plus. Copiez de nouveau le jeton actuel.
  }
step-map = Vérifier les mappages
step-map-text = Sous Mappages, sélectionnez Provision Microsoft Entra ID Users (dans le tutoriel : Synchroniser les utilisateurs Microsoft Entra avec TimeClock 365). Les attributs y sont corrects tels quels. Saisissez un e-mail de notification, pour que Microsoft Entra vous prévienne quand quelque chose échoue.
step-scope = Choisir qui est inclus
step-scope-text = Sous Utilisateurs et groupes, affectez d’abord quelques personnes ou un groupe ; vous pourrez ajouter tout le monde ensuite. Sous Paramètres, laissez l’étendue sur « Synchroniser uniquement les utilisateurs et groupes affectés ».
step-start = Démarrer l’approvisionnement
step-start-text = Réglez l’état d’approvisionnement sur Activé, et sélectionnez Enregistrer. Le premier cycle commence en quelques minutes et dure plus longtemps que les suivants, qui viennent toutes les 40 minutes environ. Si vous êtes pressé, sélectionnez Approvisionner à la demande et choisissez une personne.
person-received = Première personne reçue
person-awaited = En attente de la première personne…
person-help = Personne après dix minutes ? Vérifiez que quelqu’un est affecté sous Utilisateurs et groupes, et que l’état d’approvisionnement est Activé. Les groupes dans des groupes ne sont pas suivis. Approvisionner à la demande montre aussitôt ce qui gêne.
step-groups = Les groupes, si vous les voulez
step-groups-text = Sous Mappages, réglez Provision Microsoft Entra ID Groups sur Activé, et affectez des groupes. Cette étape est facultative.
group-received = Premier groupe reçu
group-awaited = Pas encore de groupe…
group-help = Les groupes viennent après les personnes qui en font partie, dans le même cycle ou le suivant.
