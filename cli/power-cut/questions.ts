/**
 * Bytes of the questions to one image: the guest takes no more (guest-scripts/programs/survivor). Room for
 * some 200,000 parts of a device.
 */
export const MOST_QUESTIONS = 4 * 2 ** 20;
