### Paramètres > Profil de l’entreprise > Général, avec les mots du tutoriel.

tab-general = Général
company-title = Informations sur l’entreprise
company-lead = Vos utilisateurs voient ce nom. Notre assistance demande l’identifiant.
company-name = Nom de l’entreprise
company-id = Identifiant de l’entreprise
azure-title = Synchronisation d’utilisateur Azure
azure-lead = Laissez Microsoft Entra ID créer, mettre à jour et désactiver les comptes TimeClock 365 à votre place. Collez les deux valeurs ci-dessous dans le centre d’administration Microsoft Entra, sous Approvisionnement › Informations d’identification de l’administrateur.
azure-guide = Guide de connexion
tenant-url = URL de locataire
copy-tenant-url = Copier l’URL de locataire
entra-token = Jeton Microsoft Entra
token-none = Il n’y a pas encore de jeton. Microsoft Entra en a besoin pour entrer.
token-generate = Générer un jeton
token-show = Afficher
show-token = Afficher le jeton Microsoft Entra
token-hide = Masquer
copy-token = Copier le jeton Microsoft Entra
token-hint = Traitez ce jeton comme un mot de passe : toute personne qui le détient peut modifier tous les comptes de votre entreprise. L’afficher ou le copier est noté dans le journal d’audit.
token-created = Création
token-by = par { $who }
token-used = Dernière utilisation
token-from = depuis { $address }
token-expires = Expiration
token-end = Fin
token-refused-calls = { $count ->
    [one] { $count } requête refusée depuis
   *[other] { $count } requêtes refusées depuis
  }
token-ended = Jetons terminés
lifetime = Durée de validité
lifetime-years = { $count ->
    [one] { $count } an
   *[other] { $count } ans
  }
token-rotate = Renouveler le jeton…
token-revoke = Révoquer…

rotate-title = Renouveler le jeton Microsoft Entra
rotate-text = Un nouveau jeton est créé maintenant. Microsoft Entra continue d’utiliser le jeton actuel jusqu’à ce que vous y colliez le nouveau ; choisissez donc combien de temps les deux fonctionnent. Personne dans votre entreprise ne remarque rien.
rotate-legend = Le jeton actuel
rotate-week = Le garder 7 jours
rotate-week-hint = Recommandé. Cela laisse le temps de coller le nouveau jeton sans manquer un cycle ; vous pouvez retirer l’ancien plus tôt.
rotate-day = Le garder 24 heures
rotate-hour = Le garder 1 heure
rotate-now = L’arrêter maintenant
rotate-now-hint = Les changements dans Microsoft Entra n’arrivent plus jusqu’à ce que vous ayez collé le nouveau jeton. Choisissez ceci si le jeton a pu fuiter.
rotate-lifetime = Durée de validité du nouveau jeton
rotate-do = Créer un nouveau jeton

revoke-title = Révoquer le jeton Microsoft Entra ?
revoke-text = En quelques secondes, chaque requête de Microsoft Entra est refusée. Les changements n’arrivent plus ici, et Microsoft Entra met la connexion en quarantaine. C’est irréversible.
revoke-people = { $count ->
    [one] { $count } personne active garde son accès, même si elle quitte l’entreprise, jusqu’à la connexion d’un nouveau jeton.
   *[other] { $count } personnes actives gardent leur accès, y compris celles qui quittent l’entreprise, jusqu’à la connexion d’un nouveau jeton.
  }
revoke-instead = Pour remplacer le jeton sans interruption, renouvelez-le plutôt.
revoke-do = Révoquer le jeton

older-moved = Microsoft Entra a utilisé le nouveau jeton { $count } fois : retirer l’ancien ?
older-moved-text = L’ancien jeton n’est plus nécessaire. Une fois retiré, il ne laisse plus entrer personne.
older-waiting = L’ancien jeton fonctionne encore, et Microsoft Entra n’a pas encore utilisé le nouveau
older-waiting-text = Copiez le nouveau jeton ci-dessus, collez-le dans Microsoft Entra sous Approvisionnement › Informations d’identification de l’administrateur › Jeton secret, sélectionnez Tester la connexion, puis Enregistrer.
older-tried = Le nouveau jeton a été essayé, mais Microsoft Entra ne travaille pas avec lui : avez-vous sélectionné Enregistrer ?
older-tried-text = Tester la connexion ne change rien à elle seule : Microsoft Entra garde l’ancien jeton tant que vous n’y sélectionnez pas Enregistrer. Si vous l’avez fait, ce message change au prochain cycle qui a quelque chose à faire ; laissez l’ancien jeton fonctionner jusque-là.
older-token = Ancien jeton
older-retire = Retirer l’ancien jeton…
older-retire-anyway = Arrêter l’ancien jeton maintenant…
retire-title = Retirer l’ancien jeton ?
retire-text = Microsoft Entra travaille avec le nouveau jeton : rien ne change pour vos personnes. Toute autre requête faite avec l’ancien est refusée en quelques secondes. C’est irréversible.
retire-do = Retirer l’ancien jeton
retire-early-title = Arrêter l’ancien jeton avant que Microsoft Entra travaille avec le nouveau ?
retire-early-text = Si le nouveau jeton n’est pas enregistré dans Microsoft Entra, chaque requête est refusée en quelques secondes. Les changements n’arrivent plus ici, et Microsoft Entra met la connexion en quarantaine. C’est irréversible.
retire-early-people = { $count ->
    [one] { $count } personne active garde alors son accès, même si elle quitte l’entreprise, jusqu’à ce que le nouveau jeton y soit enregistré.
   *[other] { $count } personnes actives gardent alors leur accès, y compris celles qui quittent l’entreprise, jusqu’à ce que le nouveau jeton y soit enregistré.
  }
retire-early-do = Arrêter l’ancien jeton

done-issued = Un nouveau jeton est prêt : copiez-le et collez-le dans Microsoft Entra
done-rotated = Un nouveau jeton est prêt : copiez-le et collez-le dans Microsoft Entra avant la fin de l’ancien
done-revoked = Le jeton est révoqué
done-retired = L’ancien jeton est retiré
done-client-revoked = Le client est révoqué
done-secret-revoked = Le secret du client est révoqué
not-done-refused = Cela n’a pas pu être fait
not-done-away = Cela n’a pas été fait : une partie de TimeClock 365 ne répond pas. Réessayez dans une minute.

clients-title = Type d’informations d’identification
clients-lead = Le jeton secret ci-dessus est le choix par défaut, et convient à l’application de la galerie de Microsoft Entra. Si votre Microsoft Entra demande plutôt des informations d’identification de client OAuth 2.0 ou la fédération d’identité de charge de travail, configurez-les ici. Plusieurs peuvent fonctionner côte à côte.
client-nameless = Client OAuth
client-kind = Type d’informations d’identification
client-credentials = Informations d’identification de client OAuth 2.0
client-federation = Fédération d’identité de charge de travail
client-id = Identifiant du client
client-endpoint = Point de terminaison de jeton
client-secret = Secret du client
client-secrets = Secrets du client
client-issuer = Émetteur
client-subject = Sujet
client-subject-hint = L’identifiant d’objet du principal de service qui approvisionne, d’après la revendication « sub » de son assertion.
client-audiences = Audiences
client-audiences-hint = Une par ligne, cinq au plus, exactement comme dans la revendication « aud » de l’assertion : par exemple api:// suivi de l’identifiant d’application.
client-tenant = Identifiant de locataire Microsoft Entra
client-tenant-hint = Sur la page de vue d’ensemble du centre d’administration Microsoft Entra.
client-description = Description
client-create = Créer
client-new-secret = Configurer des informations d’identification de client OAuth 2.0
client-new-secret-text = Crée un identifiant et un secret de client. Le secret est affiché une fois, et vous pouvez en ajouter un autre avant sa fin.
client-new-federation = Configurer la fédération d’identité de charge de travail
client-new-federation-text = Microsoft Entra s’identifie par des assertions qu’il signe : il n’y a aucun secret qui puisse fuiter ou expirer.
client-add-secret = Ajouter un secret
client-no-secrets = Aucun secret ne fonctionne. Ajoutez-en un.
client-revoke-secret = Révoquer…
client-revoke-secret-named = Révoquer le secret qui se termine par { $hint }
client-revoke-secret-title = Révoquer le secret qui se termine par { $hint } ?
client-revoke-secret-text = Si Microsoft Entra utilise ce secret, il n’obtient plus de jeton d’accès : en une heure au plus, chaque requête est refusée, les changements n’arrivent plus, et Microsoft Entra met la connexion en quarantaine. Saisissez-y d’abord un autre secret. C’est irréversible.
client-revoke-last-secret-text = C’est le dernier secret de ce client. Sans secret, Microsoft Entra n’obtient plus de jeton d’accès : en une heure au plus, chaque requête est refusée, les changements n’arrivent plus, et Microsoft Entra met la connexion en quarantaine. Ajoutez d’abord un autre secret et saisissez-le là-bas. C’est irréversible.
client-revoke-secret-do = Révoquer le secret
client-revoke = Révoquer le client…
client-revoke-title = Révoquer ce client ?
client-revoke-text = Ses secrets et tous les jetons d’accès qu’il a obtenus cessent de fonctionner en quelques secondes. Si Microsoft Entra l’utilise, les changements n’arrivent plus. C’est irréversible.
client-revoke-do = Révoquer le client
told-title = Nouveau client
told-once = Copiez le secret maintenant : il n’est pas conservé et ne sera plus affiché.
told-federation = Saisissez ces valeurs dans Microsoft Entra.
