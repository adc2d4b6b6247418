//! Microsoft's validators, replayed with payloads of our own: each test has the number and the name of one of theirs.
//!
//! The conversations are in `testdata/validators`; README tells their format.

mod logic_app;

use tests_e2e::World;

use crate::conversation;

/// Holds a conversation of the file in a company of its own.
async fn hold(file: &str, name: &str) {
    let world = World::shared();
    let conversations = conversation::read(&format!("validators/{file}"));
    let conversation = conversations.iter().find(|conversation| conversation.name == name);
    let conversation = conversation.unwrap_or_else(|| panic!("{file} has no {name}"));
    conversation.hold(&world).await.unwrap_or_else(|failure| panic!("{file}, {name}: {failure}"));
}

/// A test for each conversation of a file, and one that none is missing.
macro_rules! replay {
    ($file:literal, $($name:ident,)*) => {
        $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                $crate::validators::hold($file, stringify!($name)).await;
            }
        )*

        #[test]
        fn every_conversation_of_the_file_is_a_test() {
            let conversations = $crate::conversation::read(&format!("validators/{}", $file));
            let names: Vec<_> = conversations.iter().map(|conversation| conversation.name.as_str()).collect();
            assert_eq!(names, [$(stringify!($name)),*]);
        }
    };
}
use replay;

/// scimvalidator.microsoft.com: its twenty-seven tests, its previews, and what it does when nothing is left to test.
mod scim_validator {
    super::replay! {
        "scim_validator.json",
        test_01_create_a_new_user,
        test_02_create_a_duplicate_user,
        test_03_filter_for_an_existing_user,
        test_04_filter_for_a_non_existing_user,
        test_05_filter_for_an_existing_user_with_a_different_case,
        test_06_patch_user_replace_attributes,
        test_07_patch_user_replace_attributes_verbose,
        test_08_update_user_user_name,
        test_09_patch_user_disable_user,
        test_10_patch_user_add_attributes,
        test_11_patch_user_add_attributes_verbose,
        test_12_patch_user_add_manager,
        test_13_patch_user_replace_manager,
        test_14_patch_user_remove_manager,
        test_15_delete_a_user,
        test_16_get_group_by_id_excluding_members,
        test_17_filter_for_an_existing_group_excluding_members,
        test_18_filter_for_an_existing_group,
        test_19_filter_for_a_non_existing_group,
        test_20_filter_for_an_existing_group_with_a_different_case,
        test_21_create_a_new_group,
        test_22_create_a_duplicate_group,
        test_23_patch_group_replace_attributes,
        test_24_update_group_display_name,
        test_25_patch_group_add_member,
        test_26_patch_group_remove_member,
        test_27_delete_a_group,
        preview_1_several_operations_on_different_attributes,
        preview_2_several_operations_on_the_same_attribute,
        preview_3_delete_a_non_existing_user_or_group,
        preview_4_delete_the_same_user_or_group_twice,
        preview_5_add_and_remove_the_same_member,
        quirk_an_empty_list_of_operations,
    }
}

/// The collection of requests that comes with AzureAD/SCIMReferenceCode.
mod reference_code {
    super::replay! {
        "reference_code.json",
        discovery,
        post_user,
        post_user_with_keys_in_pascal_case,
        get_user_attributes,
        get_user_filter,
        patch_user_replace_user_name,
        put_user,
        delete_user,
        post_group_empty,
        post_group_with_members,
        get_groups_excluded_attributes,
        put_group,
        patch_group_add_with_stray_names,
        patch_group_remove_by_filter,
        patch_group_remove_all,
        patch_group_with_a_member_as_a_bare_string,
        delete_group,
        get_user_with_a_complex_attribute,
        garbage_null_addresses,
        garbage_active_as_text,
        garbage_missing_user_name,
        garbage_malformed_json,
        garbage_duplicate,
        garbage_put_without_user_name,
        garbage_put_with_a_misspelt_attribute,
        paging_two_of_three,
        filters_contains_starts_with_and_greater_than,
        filters_with_unquoted_values,
    }
}
