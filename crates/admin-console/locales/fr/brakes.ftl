### Retraits massifs : beaucoup de personnes retirées à la fois, et ce qui en est décidé.

concern-removals = { $lost ->
    [0] Microsoft Entra a supprimé { $count } personnes qui n’avaient plus accès en { $minutes ->
        [one] { $minutes } minute
       *[other] { $minutes } minutes
      }
   *[other] Microsoft Entra a retiré { $lost } personnes sur { $limit } en { $minutes ->
        [one] { $minutes } minute
       *[other] { $minutes } minutes
      }
  }
concern-removals-advice = Leur accès a pris fin ; personne n’a été supprimé définitivement, mais les groupes supprimés ont disparu. Regardez de qui il s’agit, puis faites-les toutes revenir ou confirmez qu’elles sont vraiment parties.
concern-removals-link = Voir qui a été retiré

brakes-title = Retraits massifs
brakes-lead = Quand Microsoft Entra retire beaucoup de personnes à la fois, leur accès prend fin aussitôt, comme il se doit. Ce qui ne pourrait pas être annulé vous attend.
brakes-none = Aucun retrait massif
brakes-none-text = Si Microsoft Entra retire un jour beaucoup de personnes à la fois, par erreur ou non, vous en décidez ici.
brakes-began = Premier retrait
brakes-people = Personnes
brakes-removed = { $count } ({ $lost } sur { $people } ayant accès)
brakes-state = État
brakes-decided = Décision
brakes-rule-title = Quand est-ce un retrait massif ?
brakes-rule-text = Quand Microsoft Entra désactive ou supprime plus de { $count ->
    [one] { $count } personne
   *[other] { $count } personnes
  }, et plus de { $percent } % de celles qui ont accès, en une heure, sauf si l’exploitant de TimeClock 365 a fixé une autre durée.
brakes-rule-people = Plus de (personnes)
brakes-rule-percent = Et plus de (en %)
brakes-rule-hint = Les deux doivent être dépassés. L’accès prend fin aussitôt dans tous les cas.
brakes-rule-do = Enregistrer
brakes-rule-done = La règle est enregistrée et vaut dès le prochain retrait.
brakes-rule-refused = La règle n’a pas été enregistrée. Saisissez 1 à 50 000 personnes et 1 à 100 pour cent.

brake-state-on = Vous attend
brake-state-undoing = Les personnes reviennent
brake-state-undone = Annulé
brake-state-released = Vraiment parties
brake-state-expired = Sans décision à temps

brake-title = Retrait massif
brake-what = Microsoft Entra a retiré { $count ->
    [one] { $count } personne
   *[other] { $count } personnes
  } en { $minutes ->
    [one] { $minutes } minute
   *[other] { $minutes } minutes
  }. Sur { $people } qui avaient accès, { $lost } l’ont perdu.
brake-on-text = Leur accès a pris fin aussitôt. Personne n’a été supprimé définitivement : vous pouvez les faire toutes revenir. Les groupes supprimés ont disparu.
brake-on-until = Sans décision, les personnes supprimées le seront définitivement le
brake-undoing-text = { $restored } sont revenues, { $count } sont en route. Vous pouvez quitter cette page.
brake-undone-text = Plus aucune d’elles n’attend.
brake-released-text = Ces personnes sont vraiment parties. Ce qui était conservé des personnes supprimées a été détruit.
brake-expired-text = Personne n’a décidé à temps. Ce qui était conservé des personnes supprimées a été détruit.
brake-last = Dernier retrait
brake-restored = Revenues
brake-returned = De nouveau autorisées par Microsoft Entra
brake-superseded = Recréées par Microsoft Entra
brake-superseded-hint = Elles gardent leur nouveau compte ; l’ancien n’est pas revenu.
brake-not-held = Supprimées définitivement
brake-not-held-hint = Pas plus de 100 000 personnes sont conservées à la fois ; celles-ci ont été supprimées au-delà.
brake-cycles = Voir les cycles de ce moment
brake-who = { $count ->
    [one] { $count } personne
   *[other] { $count } personnes
  } sans accès
brake-how = Ce qui s’est passé
brake-when = Quand
brake-deleted = Suppression
brake-disabled = Désactivation
brake-groups = était dans { $count ->
    [one] { $count } groupe
   *[other] { $count } groupes
  }
brake-undo = Tout annuler
brake-release = Vraiment parties
brake-decided-otherwise = Il en a été décidé autrement entre-temps. Rien n’a été modifié.
brake-grown = Microsoft Entra a retiré { $count ->
    [one] { $count } personne
   *[other] { $count } personnes
  } de plus depuis que vous avez ouvert cette page. Rien n’a été modifié : regardez de qui il s’agit, puis décidez de nouveau.

undo-title = Faire revenir { $count ->
    [one] { $count } personne
   *[other] { $count } personnes
  } ?
undo-text = Celles qui avaient accès le retrouvent. Celles qui ont été supprimées ({ $deleted }) reviennent avec tout ce qui était connu d’elles, et dans ceux de leurs groupes qui existent encore. Un groupe supprimé ne revient pas ; Microsoft Entra le recrée, avec ses membres, à son prochain cycle. Celles que Microsoft Entra a recréées entre-temps gardent leur nouveau compte. Celles qui sont vraiment parties entre-temps retrouvent aussi leur accès : désactivez-les de nouveau dans Microsoft Entra, ou redémarrez-y l’approvisionnement.
undo-first = Arrêtez d’abord l’approvisionnement dans Microsoft Entra, et attendez qu’il indique que le cycle en cours est terminé : d’ici là, il peut encore retirer des personnes. Annulez, attendez que toutes soient revenues, puis corrigez-y la cause, l’étendue ou les affectations de TimeClock 365, et redémarrez l’approvisionnement. Tant qu’il fonctionne, Microsoft Entra peut retirer les mêmes personnes de nouveau, ou recréer celles qui ont été supprimées, et alors les anciens comptes ne reviennent pas.
release-title = { $count ->
    [one] { $count } personne vraiment partie
   *[other] { $count } personnes vraiment parties
  } ?
release-text = Elles restent sans accès. Ce qui est conservé de celles qui ont été supprimées ({ $deleted }) est détruit maintenant, et personne ne pourra les faire revenir.

action-restore = Retour de personne
explain-restored = Un retrait massif a été annulé : cette personne est revenue.
filter-restore = Retour
fix-superseded = Il n’y a rien à faire : la personne travaille avec le nouveau compte.

notice-removals-subject = { $company } : beaucoup de personnes ont été retirées
notice-removals-text = Microsoft Entra a désactivé ou supprimé un nombre inhabituel de personnes de { $company }. Celles qui avaient accès l’ont perdu ; personne n’a été supprimé définitivement, mais les groupes supprimés ont disparu. Ouvrez la console, regardez de qui il s’agit, puis faites-les toutes revenir ou confirmez qu’elles sont vraiment parties.

act-brake-undone = { $actor } a fait annuler un retrait massif ({ $target })
act-brake-released = { $actor } a confirmé, pour un retrait massif, que ces personnes sont vraiment parties ({ $target })
act-brake-rule-set = { $actor } a changé quand un retrait est massif
