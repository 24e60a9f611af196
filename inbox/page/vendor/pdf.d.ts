export const getDocument: (source: object) => any, GlobalWorkerOptions: { workerSrc: string };
