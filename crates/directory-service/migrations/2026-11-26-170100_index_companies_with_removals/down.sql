drop index companies_removals_due;
