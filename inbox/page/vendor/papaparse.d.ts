declare const csv: { parse(text: string, how: object): { data: string[][] } }; export default csv;
