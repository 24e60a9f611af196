declare const groups: [string, [string, string, string][]][];
export default groups;
